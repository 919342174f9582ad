list(APPEND UNIT_LINKS weir_svc_cloudformation)
# help_world.c refuses calls that stacks make.
list(APPEND UNIT_LINKS -Wl,--wrap=core_call -Wl,--wrap=core_call_in_txn)
