include(${CMAKE_CURRENT_SOURCE_DIR}/unit/kv/links.cmake)
list(APPEND UNIT_LINKS test_kv_conformance)
# Its tests start themselves anew, by names of their own.
set(UNIT_ALONE ON)
