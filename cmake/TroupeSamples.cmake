# SPDX-License-Identifier: BSD-2-Clause

function(troupe_samples)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/[0-9]*.c")
    foreach(file ${files})
        get_filename_component(name "${file}" NAME_WE)
        add_executable(${name} "${file}")
        target_link_libraries(${name} PRIVATE troupe_static troupe_build)
    endforeach()
endfunction()
