# SPDX-License-Identifier: BSD-2-Clause

set(io_word "no (libuv-dev 1.44 or later is missing)")
if(TROUPE_HAS_IO)
    set(io_word "yes (libuv ${UV_VERSION})")
elseif(UV_FOUND)
    set(io_word "no (no sources)")
endif()

message(STATUS "Troupe ${PROJECT_VERSION}, ${CMAKE_BUILD_TYPE}, ${CMAKE_C_COMPILER_ID} "
               "${CMAKE_C_COMPILER_VERSION}")
message(STATUS "  core       yes (ck ${CK_VERSION}), shared ${TROUPE_SHARED}")
message(STATUS "  io         ${io_word}")
message(STATUS "  sanitizers ${TROUPE_SANITIZE}  tiny ${TROUPE_TINY}  audit ${TROUPE_AUDIT}")
message(STATUS "  tests ${TROUPE_TESTS}  samples ${TROUPE_SAMPLES}  bench ${TROUPE_BENCH}")
