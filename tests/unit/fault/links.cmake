list(APPEND UNIT_LINKS weir_svc_cloudformation)
