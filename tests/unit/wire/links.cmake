# The tests and fuzzers of src/wire read the real services' tables without the services:
# weir_wire_stubs holds them with handlers that refuse.
set(stub_sources)
set(all_includes)
set(all_rows)
foreach(s ${WEIR_SERVICES})
  string(APPEND all_includes "#include \"${s}_api.h\"\n")
  string(APPEND all_rows " &${s}_service,")
  set(stub ${CMAKE_BINARY_DIR}/gen_stubs/${s})
  add_custom_command(OUTPUT ${stub}_api.h ${stub}_api.c ${stub}_stubs.c
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/gen/stubs.py
      ${CMAKE_SOURCE_DIR}/spec/${s}.json ${CMAKE_BINARY_DIR}/gen_stubs
    DEPENDS ${GEN_SOURCES} ${CMAKE_SOURCE_DIR}/spec/${s}.json)
  list(APPEND stub_sources ${stub}_api.h ${stub}_api.c ${stub}_stubs.c)
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gen_stubs/all_services.h CONTENT
"/* Made by the build: the tables of all services. */
${all_includes}
#define EVERY_SERVICE${all_rows}
")
add_library(weir_wire_stubs STATIC ${stub_sources})
target_include_directories(weir_wire_stubs PUBLIC ${CMAKE_BINARY_DIR}/gen_stubs)
target_link_libraries(weir_wire_stubs PUBLIC weir_wire)
list(APPEND UNIT_LINKS weir_wire_stubs)

# botocore as the client; the interpreters that have it, and a visible skip where none has.
add_executable(wire_roundtrip ${CMAKE_CURRENT_SOURCE_DIR}/unit/wire/roundtrip.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/wire/help_wire.c)
target_include_directories(wire_roundtrip PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/wire)
target_link_libraries(wire_roundtrip PRIVATE weir_wire_stubs PkgConfig::CMOCKA)
add_test(NAME wire/botocore
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/gen/roundtrip.py
    $<TARGET_FILE:wire_roundtrip> ${CMAKE_SOURCE_DIR}/spec)
set_tests_properties(wire/botocore PROPERTIES TIMEOUT 300 LABELS unit SKIP_RETURN_CODE 77)
