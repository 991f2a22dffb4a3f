# SPDX-License-Identifier: BSD-2-Clause
#
# The programs that are made to be run: samples and benches. They are what a user's optimised
# program would be, so they are linked across files; tests are not, to link in no time.

if(TROUPE_WITH_MIMALLOC)
    find_package(mimalloc REQUIRED)
endif()

function(troupe_executable target)
    target_compile_options(${target} PRIVATE ${TROUPE_LTO_FLAGS})
    target_link_options(${target} PRIVATE ${TROUPE_LTO_FLAGS})
    target_link_libraries(${target} PRIVATE troupe_static troupe_build
                          $<$<BOOL:${TROUPE_WITH_MIMALLOC}>:mimalloc>)
endfunction()
