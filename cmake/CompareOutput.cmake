# SPDX-License-Identifier: BSD-2-Clause
#
# cmake -D PROGRAM=... -D EXPECTED=... -P CompareOutput.cmake: the program must exit with 0 and
# print exactly what stands in the file.

execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE printed RESULT_VARIABLE status)
file(READ "${EXPECTED}" expected)
if(NOT status STREQUAL "0")
    message(FATAL_ERROR "${PROGRAM} ended with ${status}; it printed:\n${printed}")
endif()
if(NOT printed STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} printed:\n${printed}\nexpected:\n${expected}")
endif()
