# SPDX-License-Identifier: BSD-2-Clause
#
# The version stands once, in include/troupe/version.h.

set(TROUPE_VERSION 0.1.0)
set(header "${CMAKE_CURRENT_LIST_DIR}/../include/troupe/version.h")
if(EXISTS "${header}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
    file(STRINGS "${header}" lines REGEX "#define TR_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    foreach(part MAJOR MINOR PATCH)
        string(REGEX MATCH "TR_VERSION_${part} +([0-9]+)" found "${lines}")
        set(${part} "${CMAKE_MATCH_1}")
    endforeach()
    set(TROUPE_VERSION "${MAJOR}.${MINOR}.${PATCH}")
endif()
