# SPDX-License-Identifier: BSD-2-Clause
#
# The programs that are made to be run: samples and benches. They link what a user would link.

if(TROUPE_WITH_MIMALLOC)
    find_package(mimalloc REQUIRED)
endif()

function(troupe_executable target)
    target_link_libraries(${target} PRIVATE troupe_static troupe_build
                          $<$<BOOL:${TROUPE_WITH_MIMALLOC}>:mimalloc>)
endfunction()
