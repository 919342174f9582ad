list(APPEND UNIT_LINKS weir_deliver weir_kv_drv_fault)
