# SPDX-License-Identifier: BSD-2-Clause
#
# What a build can be asked for, and the flags that follow from it.

option(TROUPE_TESTS    "Build the tests"                                ${PROJECT_IS_TOP_LEVEL})
option(TROUPE_SAMPLES  "Build the samples"                              ${PROJECT_IS_TOP_LEVEL})
option(TROUPE_BENCH    "Build the benchmark suite"                      OFF)
option(TROUPE_INSTALL  "Generate the install rules"                     ${PROJECT_IS_TOP_LEVEL})
option(TROUPE_SHARED   "Build the shared libraries beside the static"   ON)
option(TROUPE_LTO      "Optimise across files in Release (gcc only)"    ON)
option(TROUPE_TINY     "Shrink every limit, so that tests reach it"     OFF)
option(TROUPE_AUDIT    "Check whole structures as they change (slow)"   OFF)
option(TROUPE_WERROR   "Treat warnings as errors"                       ${PROJECT_IS_TOP_LEVEL})
option(TROUPE_COVERAGE "Count which lines run"                          OFF)
option(TROUPE_FUZZ     "Build the fuzz targets for libFuzzer (clang)"     OFF)
option(TROUPE_WITH_MIMALLOC "Link the executables, never the library, with mimalloc" OFF)
set(TROUPE_SANITIZE "" CACHE STRING "'address,undefined', 'thread' or nothing")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")  # no NDEBUG: our assertions have a switch of their own
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")

# Everything compiled here links to this; nothing of it reaches those who use the library.
add_library(troupe_build INTERFACE)
target_compile_definitions(troupe_build INTERFACE
    _GNU_SOURCE
    $<$<CONFIG:Release>:TRI_RELEASE>
    $<$<BOOL:${TROUPE_TINY}>:TRI_TINY>
    $<$<BOOL:${TROUPE_AUDIT}>:TRI_AUDIT>
)
target_compile_options(troupe_build INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    $<$<BOOL:${TROUPE_WERROR}>:-Werror>
    $<$<CONFIG:Debug>:-fno-omit-frame-pointer>
)

if(TROUPE_SANITIZE)
    target_compile_options(troupe_build INTERFACE -fsanitize=${TROUPE_SANITIZE})
    target_link_options(troupe_build INTERFACE -fsanitize=${TROUPE_SANITIZE})
endif()
if(TROUPE_SANITIZE MATCHES "undefined")
    target_compile_options(troupe_build INTERFACE -fno-sanitize-recover=undefined)
endif()
if(TROUPE_SANITIZE MATCHES "thread")
    # ThreadSanitizer cannot see into CK's assembly: base/ck.h becomes the compiler's atomics.
    target_compile_definitions(troupe_build INTERFACE TRI_CK_COMPILER)
endif()
if(TROUPE_FUZZ)
    target_compile_options(troupe_build INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(troupe_build INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TROUPE_COVERAGE)
    target_compile_options(troupe_build INTERFACE --coverage)
    target_link_options(troupe_build INTERFACE --coverage)
endif()

# clang's LTO wants a linker that Debian's clang does not bring: it goes without.
set(TROUPE_LTO_FLAGS)
if(TROUPE_LTO AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(TROUPE_LTO_FLAGS -flto=auto)
endif()
