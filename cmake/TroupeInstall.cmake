# SPDX-License-Identifier: BSD-2-Clause
#
# Headers, libraries, a CMake package and pkg-config files, all usable wherever the prefix goes.

include(CMakePackageConfigHelpers)

file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/troupe/*.h")
if(NOT TROUPE_HAS_IO)
    list(FILTER headers EXCLUDE REGEX "/io\\.h$")
endif()
install(FILES ${headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/troupe")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(TARGETS ${TROUPE_TARGETS} EXPORT troupe-targets)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/troupe")
install(EXPORT troupe-targets NAMESPACE troupe:: DESTINATION "${package_dir}")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/troupe-config.cmake.in"
    "${PROJECT_BINARY_DIR}/troupe-config.cmake"
    INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/troupe-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/troupe-config.cmake"
              "${PROJECT_BINARY_DIR}/troupe-config-version.cmake"
        DESTINATION "${package_dir}")

# pkg-config: the prefix is found from where the file lies.
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pc_to_prefix "${CMAKE_INSTALL_PREFIX}/${pc_dir}" "${CMAKE_INSTALL_PREFIX}")
set(pc_files troupe)
if(TROUPE_HAS_IO)
    list(APPEND pc_files troupe-io)
endif()
foreach(name ${pc_files})
    configure_file("${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in"
                   "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${pc_dir}")
endforeach()
