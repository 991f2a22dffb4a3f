# SPDX-License-Identifier: BSD-2-Clause
#
# libtroupe (base, mailbox, sched, actors) and libtroupe-io, each static and shared.
#
#     troupe_static, troupe_io_static    what tests, samples and benches here link to
#     troupe, troupe_io                  the shared libraries, with TROUPE_SHARED
#     troupe::troupe, troupe::static, troupe::io    the names for users, here and once installed

set(core_sources)
foreach(layer base mailbox sched actors)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*.c")
    list(APPEND core_sources ${found})
endforeach()
file(GLOB io_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/io/*.c")

# What our libraries have in common. Only names marked TR_API leave a shared one.
function(troupe_library target)
    set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden)
    target_include_directories(${target}
        PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
               "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
        PRIVATE "${PROJECT_SOURCE_DIR}/src"
    )
    target_compile_options(${target} PRIVATE ${TROUPE_LTO_FLAGS})
    target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:troupe_build>")
endfunction()

# A shared library stays once loaded: its threads may still run when someone closes it.
function(troupe_shared_library target)
    troupe_library(${target})
    set_target_properties(${target} PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    )
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
    target_link_options(${target} PRIVATE ${TROUPE_LTO_FLAGS}
        -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,--as-needed
        $<$<NOT:$<BOOL:${TROUPE_SANITIZE}>>:-Wl,--no-undefined>
    )
endfunction()

add_library(troupe_static STATIC ${core_sources})
set_target_properties(troupe_static PROPERTIES OUTPUT_NAME troupe EXPORT_NAME static)
troupe_library(troupe_static)
target_link_libraries(troupe_static PUBLIC Threads::Threads
                      PRIVATE "$<BUILD_INTERFACE:PkgConfig::CK>")
add_library(troupe::static ALIAS troupe_static)
set(TROUPE_TARGETS troupe_static)

if(TROUPE_SHARED)
    add_library(troupe SHARED ${core_sources})
    troupe_shared_library(troupe)
    target_link_libraries(troupe PRIVATE Threads::Threads "$<BUILD_INTERFACE:PkgConfig::CK>")
    add_library(troupe::troupe ALIAS troupe)
    list(APPEND TROUPE_TARGETS troupe)
else()
    add_library(troupe::troupe ALIAS troupe_static)
endif()

set(TROUPE_HAS_IO OFF)
if(UV_FOUND AND io_sources)
    set(TROUPE_HAS_IO ON)
    add_library(troupe_io_static STATIC ${io_sources})
    set_target_properties(troupe_io_static PROPERTIES OUTPUT_NAME troupe-io EXPORT_NAME io)
    troupe_library(troupe_io_static)
    target_link_libraries(troupe_io_static PUBLIC troupe_static
                          PRIVATE "$<BUILD_INTERFACE:PkgConfig::UV>"
                                  "$<BUILD_INTERFACE:PkgConfig::CK>")
    add_library(troupe::io ALIAS troupe_io_static)
    list(APPEND TROUPE_TARGETS troupe_io_static)
endif()
