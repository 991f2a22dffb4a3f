# SPDX-License-Identifier: BSD-2-Clause
# Prints the first C block of a Markdown text.
/^```c$/ && !found { found = inside = 1; next }
/^```/             { inside = 0 }
inside
END                { exit !found }
