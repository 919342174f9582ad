list(APPEND UNIT_LINKS weir_kv_drv_fault)
