# SPDX-License-Identifier: BSD-2-Clause
#
# How tests become executables and ctests.

if(TROUPE_SANITIZE MATCHES "thread")
    set(TROUPE_TEST_PLAIN ON)  # Criterion cannot run under ThreadSanitizer
else()
    pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()

# What every test finds in its environment: how sanitizers report, and where things are.
set(test_environment
    "ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:handle_segv=0:handle_abort=0"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=0:exitcode=66:second_deadlock_stack=1:atexit_sleep_ms=0"
    "TROUPE_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "TROUPE_BUILD_DIR=${PROJECT_BINARY_DIR}"
    "TROUPE_KV=${PROJECT_BINARY_DIR}/samples/kv/troupe-kv"
    "TROUPE_POWERLOSS=${PROJECT_BINARY_DIR}/tests/support/libpowerloss.so"
)

# The name of a test file without its folder, its ending and the word for its tier.
function(troupe_test_name ret_name file tier)
    get_filename_component(name "${file}" NAME_WE)
    string(REGEX REPLACE "^(test|${tier})_" "" name "${name}")
    set(${ret_name} "${name}" PARENT_SCOPE)
endfunction()

# Whether a file needs the I/O library.
function(troupe_uses_io ret_uses file)
    file(STRINGS "${file}" found REGEX "#include [<\"](io/|troupe/io\\.h|uv\\.h)")
    set(${ret_uses} "${found}" PARENT_SCOPE)
endfunction()

function(troupe_test_settings test tier timeout)
    set_tests_properties(${test} PROPERTIES
        LABELS ${tier} TIMEOUT ${timeout} SKIP_RETURN_CODE 77
        ENVIRONMENT "${test_environment}"
    )
endfunction()

# troupe_named_in(ret_words FILE WORD): the words of all comment lines "/* WORD: ... */" in the
# file, read again whenever the file changes.
function(troupe_named_in ret_words file word)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" lines REGEX "^/\\* ${word}: .* \\*/$")
    list(TRANSFORM lines REPLACE "^/\\* ${word}: (.*) \\*/$" "\\1")
    string(REPLACE " " ";" lines "${lines}")
    set(${ret_words} "${lines}" PARENT_SCOPE)
endfunction()

# One executable from one file, linked with the static library, whose hidden symbols it sees, and
# with what the file asks for:
#
#     /* links: troupe_kv powerloss_restore */
#
function(troupe_test_executable target file)
    troupe_uses_io(uses_io "${file}")
    if(uses_io AND NOT TARGET troupe_io_static)
        message(STATUS "Not built, no I/O library: ${target}")
        return()
    endif()
    troupe_named_in(links "${file}" links)
    foreach(library ${links})
        if(NOT TARGET ${library})
            message(STATUS "Not built, no ${library}: ${target}")
            return()
        endif()
    endforeach()
    add_executable(${target} "${file}")
    if(uses_io)
        target_link_libraries(${target} PRIVATE troupe_io_static)
    endif()
    target_link_libraries(${target} PRIVATE ${links} troupe_static troupe_test PkgConfig::CK)
endfunction()

# The Criterion files and the scripts of a folder. A script gets the build folder as its argument
# and exits 0, 1, or 77 (skipped).
function(troupe_tests tier)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
    foreach(file ${files})
        troupe_test_name(name "${file}" ${tier})
        set(target ${tier}_${name})
        troupe_test_executable(${target} "${file}")
        if(NOT TARGET ${target})
            continue()
        endif()
        target_link_libraries(${target} PRIVATE troupe_test_main)
        add_test(NAME troupe.${tier}.${name} COMMAND ${target})
        troupe_test_settings(troupe.${tier}.${name} ${tier} 120)
        set_tests_properties(troupe.${tier}.${name} PROPERTIES
            FAIL_REGULAR_EXPRESSION "Tested: 0 "
        )
    endforeach()

    file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.sh")
    foreach(script ${scripts})
        troupe_test_name(name "${script}" ${tier})
        add_test(NAME troupe.${tier}.${name} COMMAND sh "${script}" "${PROJECT_BINARY_DIR}")
        troupe_test_settings(troupe.${tier}.${name} ${tier} 180)
    endforeach()
endfunction()

# Programs with a main of their own.
function(troupe_programs tier)
    file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
    foreach(file ${files})
        troupe_test_name(name "${file}" ${tier})
        set(target ${tier}_${name})
        troupe_test_executable(${target} "${file}")
        if(TARGET ${target})
            add_test(NAME troupe.${tier}.${name} COMMAND ${target})
            troupe_test_settings(troupe.${tier}.${name} ${tier} 180)
        endif()
    endforeach()
endfunction()

# Explorers run on stacks and atomics of their own: sanitizers have no use here.
function(troupe_explorers)
    if(TROUPE_SANITIZE)
        return()
    endif()
    set(here "${CMAKE_CURRENT_SOURCE_DIR}")
    file(GLOB files CONFIGURE_DEPENDS "${here}/*.c")
    foreach(file ${files})
        troupe_named_in(named "${file}" sources)
        if(NOT named)
            continue()  # shared by the explorers: named by them, not one of them
        endif()
        set(sources "${file}")
        foreach(source ${named})
            if(EXISTS "${here}/${source}")
                list(APPEND sources "${here}/${source}")
            else()
                list(APPEND sources "${PROJECT_SOURCE_DIR}/src/${source}")
            endif()
        endforeach()
        troupe_test_name(name "${file}" model)
        add_executable(model_${name} ${sources})
        target_include_directories(model_${name} PRIVATE "${here}/include" "${here}"
            "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include"
            "${PROJECT_SOURCE_DIR}/tests"
        )
        target_link_libraries(model_${name} PRIVATE troupe_build Threads::Threads)
        # Functions of a named source that its model does not reach need nothing to link with.
        target_compile_options(model_${name} PRIVATE -O2 -ffunction-sections)
        target_link_options(model_${name} PRIVATE -Wl,--gc-sections)
        add_test(NAME troupe.model.${name} COMMAND model_${name})
        troupe_test_settings(troupe.model.${name} model 240)
    endforeach()

    add_test(NAME troupe.model.spin COMMAND sh "${here}/spin/check.sh" "${CMAKE_C_COMPILER}")
    troupe_test_settings(troupe.model.spin model 300)

    # Planted bugs, together for each piece of code that they are planted in: NAME-bug.sed.
    file(GLOB plants CONFIGURE_DEPENDS RELATIVE "${here}/plants" "${here}/plants/*.sed")
    list(TRANSFORM plants REPLACE "-.*" "-")
    list(REMOVE_DUPLICATES plants)
    foreach(prefix ${plants})
        set(test troupe.model.planted_${prefix})
        string(REGEX REPLACE "-$" "" test "${test}")
        add_test(NAME ${test}
                 COMMAND sh "${here}/plants.sh" "${CMAKE_C_COMPILER}" "${prefix}")
        troupe_test_settings(${test} model 300)
    endforeach()

    # Orders that are weakened, together for each explorer: see mutants.sh.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${here}/mutants_of.txt")
    file(STRINGS "${here}/mutants_of.txt" groups REGEX "^[^#].* explorer ")
    list(TRANSFORM groups REPLACE "^[^ ]+ explorer [0-9]+ ([a-z_]+).*" "\\1")
    list(REMOVE_DUPLICATES groups)
    foreach(group ${groups} complete)
        add_test(NAME troupe.model.mutants_${group}
                 COMMAND sh "${here}/mutants.sh" "${CMAKE_C_COMPILER}" "${group}")
        troupe_test_settings(troupe.model.mutants_${group} model 300)
    endforeach()
endfunction()
