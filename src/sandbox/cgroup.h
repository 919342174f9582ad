/* Control groups of the functions: finding where this host lets us make them, making one for each
 * environment, limits, readings. Version 2, or version 1 where the host still has it.
 *
 * Layout:  <where Weir itself is>/weir-<pid of the helper>/<slot>   in each hierarchy used
 *
 * Layer: sandbox, internal. Thread: the helper process; sandbox_cgroup_memory_file also in the server. */
#ifndef WEIR_SANDBOX_CGROUP_H
#define WEIR_SANDBOX_CGROUP_H

#include "base/base.h"

enum { CGROUP_PATH_MAX = 512 };

enum cgroup_controller { CGROUP_MEMORY, CGROUP_CPU, CGROUP_PIDS, CGROUP_CONTROLLERS };

struct cgroups {
    int version;                                    /* 0: none usable */
    char base[CGROUP_CONTROLLERS][CGROUP_PATH_MAX]; /* "": this controller cannot be used */
};

/* Looks what the host allows and makes the base folders, named after this process; removes those of
 * helpers that are gone. */
void sandbox_cgroups_probe(struct cgroups *cg);
/* Removes the base folders. */
void sandbox_cgroups_remove(const struct cgroups *cg);

/* Makes the groups of `slot`, without limits. ERR_IO: none are left behind. */
enum err sandbox_cgroup_make(const struct cgroups *cg, int slot) WARN_UNUSED;
/* Puts a process in. ERR_IO. */
enum err sandbox_cgroup_attach(const struct cgroups *cg, int slot, int pid) WARN_UNUSED;
/* Memory limit, share of the processor as Lambda gives it (1,769 MB = one), processes. ERR_IO. */
enum err sandbox_cgroup_limit(const struct cgroups *cg, int slot, int64_t memory_mb,
                              int pids_max) WARN_UNUSED;
/* Kills what is in the groups, for hosts without pid namespaces. */
void sandbox_cgroup_kill(const struct cgroups *cg, int slot);
/* Bytes at most used so far, 0 unknown. */
int64_t sandbox_cgroup_peak(const struct cgroups *cg, int slot);
/* Whether its memory limit killed something. */
bool sandbox_cgroup_oom(const struct cgroups *cg, int slot);
/* Removes the groups; false while something is in them still. */
bool sandbox_cgroup_remove(const struct cgroups *cg, int slot);

/* Path of the file with the bytes used now (peak: at most) by `slot`. ERR_NOT_FOUND. */
enum err sandbox_cgroup_memory_file(const struct cgroups *cg, int slot, bool peak,
                                    char ret_path[CGROUP_PATH_MAX]) WARN_UNUSED;

#endif
