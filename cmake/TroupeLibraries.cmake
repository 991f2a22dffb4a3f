# SPDX-License-Identifier: BSD-2-Clause
#
# libtroupe (base, sim, mailbox, sched, actors), static and shared, and libtroupe-io, static.
#
#     troupe_static, troupe_io_static               what tests, samples and benches here link to
#     troupe                                        the shared library, with TROUPE_SHARED
#     troupe::troupe, troupe::static, troupe::io    the names for users, here and once installed
#
# Objects are compiled once, position-independent, for both forms. libtroupe-io uses what a shared
# core hides, so it stands on the core's archive.

set(core_sources)
foreach(layer base sim mailbox sched actors)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*.c")
    list(APPEND core_sources ${found})
endforeach()
file(GLOB io_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/io/*.c")

# The objects of a library. Only names marked TR_API will leave a shared one.
function(troupe_objects target)
    add_library(${target} OBJECT ${ARGN})
    set_target_properties(${target} PROPERTIES
        C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON
    )
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/include"
                               "${PROJECT_SOURCE_DIR}/src")
    target_compile_options(${target} PRIVATE -fno-semantic-interposition ${TROUPE_LTO_FLAGS})
    target_link_libraries(${target} PRIVATE troupe_build PkgConfig::CK Threads::Threads)
endfunction()

# An archive of objects. With LTO they are optimised together first and become one object of plain
# machine code. An archive of gcc's intermediate form would do for nobody else: clang cannot read
# it, nor another gcc; and the user's gcc would warn about our code under the user's flags.
function(troupe_archive target objects)
    if(TROUPE_LTO_FLAGS)
        set(whole "${PROJECT_BINARY_DIR}/${objects}.o")
        add_custom_command(OUTPUT "${whole}"
            COMMAND "${CMAKE_C_COMPILER}" -O2 -g -fPIC -fno-semantic-interposition
                    ${TROUPE_LTO_FLAGS} -r -nostdlib -flinker-output=nolto-rel -o "${whole}"
                    "$<TARGET_OBJECTS:${objects}>"
            DEPENDS ${objects} "$<TARGET_OBJECTS:${objects}>"
            COMMAND_EXPAND_LISTS VERBATIM COMMENT "Optimising across files: ${objects}"
        )
        add_library(${target} STATIC "${whole}")
        set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
    else()
        add_library(${target} STATIC "$<TARGET_OBJECTS:${objects}>")
    endif()
    troupe_headers(${target})
endfunction()

function(troupe_headers target)
    target_include_directories(${target} INTERFACE
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
    )
endfunction()

troupe_objects(troupe_objects ${core_sources})
troupe_archive(troupe_static troupe_objects)
set_target_properties(troupe_static PROPERTIES OUTPUT_NAME troupe EXPORT_NAME static)
target_link_libraries(troupe_static PUBLIC Threads::Threads)
add_library(troupe::static ALIAS troupe_static)
set(TROUPE_TARGETS troupe_static)

if(TROUPE_SHARED)
    add_library(troupe SHARED "$<TARGET_OBJECTS:troupe_objects>")
    troupe_headers(troupe)
    # It stays once loaded: its threads may still run when somebody closes it.
    target_link_options(troupe PRIVATE -O2 ${TROUPE_LTO_FLAGS}
        -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,--as-needed -Wl,--no-undefined
    )
    target_link_libraries(troupe PRIVATE troupe_build Threads::Threads)
    set_target_properties(troupe PROPERTIES
        LINKER_LANGUAGE C VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    )
    add_library(troupe::troupe ALIAS troupe)
    list(APPEND TROUPE_TARGETS troupe)
else()
    add_library(troupe::troupe ALIAS troupe_static)
endif()

set(TROUPE_HAS_IO OFF)
if(UV_FOUND AND io_sources)
    set(TROUPE_HAS_IO ON)
    troupe_objects(troupe_io_objects ${io_sources})
    target_link_libraries(troupe_io_objects PRIVATE PkgConfig::UV)
    troupe_archive(troupe_io_static troupe_io_objects)
    set_target_properties(troupe_io_static PROPERTIES OUTPUT_NAME troupe-io EXPORT_NAME io)
    target_link_libraries(troupe_io_static PUBLIC troupe_static
                          INTERFACE "$<BUILD_INTERFACE:PkgConfig::UV>")
    add_library(troupe::io ALIAS troupe_io_static)
    list(APPEND TROUPE_TARGETS troupe_io_static)
endif()
