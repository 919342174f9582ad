include(${CMAKE_CURRENT_SOURCE_DIR}/unit/kv/links.cmake)
list(APPEND UNIT_LINKS test_kv_conformance)
