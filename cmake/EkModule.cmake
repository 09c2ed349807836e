# SPDX-License-Identifier: Apache-2.0
#
# A module sees its own headers and those of the modules it links, nothing else: each module's
# include path is a folder of its own that holds one link to its sources, so an include that the
# dependency list does not allow does not compile.

# ek_headers(NAME PATH): interface target NAME for the headers under PATH ("bpf/abi").
function(ek_headers name path)
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  get_filename_component(parent ${root}/${path} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${path} ${root}/${path} SYMBOLIC)
  add_library(${name} INTERFACE)
  target_include_directories(${name} INTERFACE ${root})
endfunction()

# ek_module(NAME SRCS a.cc ... [DEPS ek_x ...] [LIBS absl::status ...])
# Static library ek_NAME of control/NAME. DEPS are our modules, LIBS others' libraries.
function(ek_module name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;LIBS;PRIVATE_LIBS" ${ARGN})
  ek_headers(ek_${name}_headers control/${name})
  add_library(ek_${name} STATIC ${ARG_SRCS})
  target_link_libraries(ek_${name} PUBLIC ek_${name}_headers ${ARG_DEPS} ${ARG_LIBS}
                                   PRIVATE ek_options ${ARG_PRIVATE_LIBS})
endfunction()

# ek_program(NAME SRCS ... DEPS ...): a binary in build/bin.
function(ek_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE ek_options ${ARG_DEPS})
endfunction()

# ek_test(NAME SRCS ... DEPS ... LABEL unit|property|progrun|netns|fuzz [TIMEOUT seconds])
# A GoogleTest binary; each binary is one ctest entry. Kernel tests (progrun, netns) run as root and
# fail without the privilege where EVENKEEL_REQUIRE_KERNEL is set.
function(ek_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SRCS;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SRCS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ek_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE EK_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             EK_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
