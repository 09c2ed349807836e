# SPDX-License-Identifier: Apache-2.0
# ek_options: the compile options of all our user-space code.
add_library(ek_options INTERFACE)
target_compile_options(ek_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wformat=2 -fno-omit-frame-pointer)
if(EK_WERROR)
  # Flow-based diagnostics that GCC 12 reports inside library headers stay warnings.
  target_compile_options(ek_options INTERFACE -Werror -Wno-error=maybe-uninitialized
                         -Wno-error=restrict)
endif()
if(NOT EK_SANITIZE STREQUAL "")
  target_compile_options(ek_options INTERFACE -fsanitize=${EK_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(ek_options INTERFACE -fsanitize=${EK_SANITIZE})
endif()
