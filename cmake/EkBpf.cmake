# SPDX-License-Identifier: Apache-2.0
find_program(EK_BPF_CLANG NAMES clang clang-14 REQUIRED)
find_program(EK_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-multiarch OUTPUT_VARIABLE EK_MULTIARCH
                OUTPUT_STRIP_TRAILING_WHITESPACE)

# ek_bpf(NAME SOURCE DEPENDS headers...): compiles bpf/SOURCE to bpf/NAME.o and makes the skeleton
# "bpf/NAME.skel.h" available through the interface target ek_bpf_NAME.
function(ek_bpf name source)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  set(dir ${CMAKE_BINARY_DIR}/include/ek_bpf_${name}/bpf)
  set(object ${CMAKE_BINARY_DIR}/bpf/${name}.o)
  set(skeleton ${dir}/${name}.skel.h)
  file(MAKE_DIRECTORY ${dir} ${CMAKE_BINARY_DIR}/bpf)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${EK_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror
            -Wno-address-of-packed-member -I${CMAKE_SOURCE_DIR}
            -idirafter /usr/include/${EK_MULTIARCH} -MD -MF ${object}.d -MT ${object}
            -fdebug-prefix-map=${CMAKE_SOURCE_DIR}=. -c ${CMAKE_CURRENT_SOURCE_DIR}/${source}
            -o ${object}
    DEPENDS ${source} ${ARG_DEPENDS}
    DEPFILE ${object}.d
    COMMENT "BPF ${source}"
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${EK_BPFTOOL} gen skeleton ${object} name ek_${name} > ${skeleton}
    DEPENDS ${object}
    COMMENT "Skeleton ${name}"
    VERBATIM)
  add_custom_target(ek_bpf_${name}_gen DEPENDS ${skeleton})
  add_library(ek_bpf_${name} INTERFACE)
  add_dependencies(ek_bpf_${name} ek_bpf_${name}_gen)
  target_include_directories(ek_bpf_${name} SYSTEM INTERFACE
                             ${CMAKE_BINARY_DIR}/include/ek_bpf_${name})
  target_link_libraries(ek_bpf_${name} INTERFACE PkgConfig::LIBBPF)
endfunction()
