/* The memory driver, plain and behind a fault driver that is told to do nothing, against the
 * promises of kv.h. */
#include "conformance.h"
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"

static struct kv_mem_disk *disk;
static bool wrapped;

static struct kv *reopen(void)
{
    struct kv *kv, *outer;
    if (kv_mem_open(disk, false, &kv) != ERR_OK)
        return NULL;
    if (!wrapped)
        return kv;
    return kv_fault_wrap(kv, &outer) == ERR_OK ? outer : NULL;
}

static struct kv *open_new(void)
{
    disk = kv_mem_disk_new();
    return disk ? reopen() : NULL;
}

static void wipe(void)
{
    kv_mem_disk_free(disk);
    disk = NULL;
}

int main(void)
{
    struct conformance_driver driver = {
        .name = "memory", .open_new = open_new, .reopen = reopen, .wipe = wipe};
    int failed = conformance_run(&driver);
    wrapped = true;
    driver.name = "fault";
    return failed + conformance_run(&driver);
}
