/* Read before a test's file when the tests of its folder are linked as one program: its main gets a
 * name of its own, UNIT_MAIN. */
#ifndef WEIR_TESTS_TOGETHER_H
#define WEIR_TESTS_TOGETHER_H

int UNIT_MAIN(void);
#define main UNIT_MAIN

#endif
