# SPDX-License-Identifier: BSD-2-Clause
#
# libtroupe (base, mailbox, sched, actors) and libtroupe-io, each static and shared.

set(sources)
foreach(layer base mailbox sched actors)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*.c")
    list(APPEND sources ${found})
endforeach()
file(GLOB io_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/io/*.c")
file(GLOB TROUPE_HEADERS CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/troupe/*.h")

# A library of ours: where its headers lie for us and for those who use it.
function(troupe_library target)
    set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden)
    target_include_directories(${target}
        PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
               "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
        PRIVATE "${PROJECT_SOURCE_DIR}/src"
    )
    target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:troupe_build>")
endfunction()

set(TROUPE_HAS_IO OFF)
if(UV_FOUND AND io_sources)
    set(TROUPE_HAS_IO ON)
endif()

if(sources)
    add_library(troupe_static STATIC ${sources})
    set_target_properties(troupe_static PROPERTIES OUTPUT_NAME troupe EXPORT_NAME static)
    troupe_library(troupe_static)
    target_link_libraries(troupe_static PUBLIC Threads::Threads
                          PRIVATE "$<BUILD_INTERFACE:PkgConfig::CK>")
endif()
if(sources AND TROUPE_HAS_IO)
    add_library(troupe_io_static STATIC ${io_sources})
    set_target_properties(troupe_io_static PROPERTIES OUTPUT_NAME troupe-io EXPORT_NAME io_static)
    troupe_library(troupe_io_static)
    target_link_libraries(troupe_io_static PUBLIC troupe_static PRIVATE PkgConfig::UV)
endif()
