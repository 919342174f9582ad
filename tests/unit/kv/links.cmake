# The conformance suite, for the tests of every driver.
if(NOT TARGET test_kv_conformance)
  add_library(test_kv_conformance STATIC ${CMAKE_CURRENT_SOURCE_DIR}/unit/kv/conformance.c)
  target_include_directories(test_kv_conformance PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/unit/kv)
  target_link_libraries(test_kv_conformance PUBLIC weir_kv PkgConfig::CMOCKA)
endif()
