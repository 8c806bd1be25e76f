# SPDX-License-Identifier: MIT
#
# For errors.py: a line for each public function, with the codes of its "Errors:" as -EPERM and the
# others in its comment as +EPERM. errors.sh runs this after script/headers.awk.

function on_header(header, comment) { }
function on_section(title) { }
function on_other(text, comment) { }

function on_function(    lines, n, i, in_errors, mark, text, all)
{
        n = split(comment, lines, "\n")
        all = name
        for (i = 1; i <= n; i++) {
                if (lines[i] ~ /^[A-Z][a-z]+:/)
                        in_errors = lines[i] == "Errors:"
                mark = in_errors && lines[i] ~ /^  -E/ ? "-" : "+"
                text = lines[i]
                while (match(text, /-E[A-Z][A-Z0-9]+/)) {
                        all = all " " mark substr(text, RSTART + 1, RLENGTH - 1)
                        text = substr(text, RSTART + RLENGTH)
                        # Further codes in the text of an entry are none that it lists.
                        if (text !~ /^, -E/)
                                mark = "+"
                }
        }
        print all
}
