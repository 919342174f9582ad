list(APPEND UNIT_LINKS weir_lang)
