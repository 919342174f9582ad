# The function that the tests run, and where it is.
if(NOT TARGET sandbox_fixture)
  add_executable(sandbox_fixture ${dir}/fixture.c)
  target_compile_options(sandbox_fixture PRIVATE -fno-sanitize=all -Wno-unused-result)
  target_link_options(sandbox_fixture PRIVATE -static -fno-sanitize=all)
  add_library(sandbox_fixture_path INTERFACE)
  target_compile_definitions(sandbox_fixture_path INTERFACE
    FIXTURE="$<TARGET_FILE:sandbox_fixture>")
  add_dependencies(sandbox_fixture_path sandbox_fixture)
endif()
list(APPEND UNIT_LINKS sandbox_fixture_path)
# Its tests start themselves anew, by names of their own.
set(UNIT_ALONE ON)
