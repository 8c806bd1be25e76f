# SPDX-License-Identifier: MIT
#
# Generates the masks of the functions in src/places/places.list. script/places runs this after
# script/headers.awk. The variable `what` chooses the output, "header" or "source".

# Returns the text, the parameters and the end, wrapped below the opening parenthesis.
function wrapped(text, list, n, end,    i, column, indent, piece)
{
        column = length(text)
        indent = sprintf("%" column "s", "")
        for (i = 1; i <= n; i++) {
                piece = list[i] (i < n ? "," : end)
                if (i > 1 && column + 1 + length(piece) > width) {
                        text = text "\n" indent piece
                        column = length(indent) + length(piece)
                } else {
                        text = text (i > 1 ? " " : "") piece
                        column += (i > 1) + length(piece)
                }
        }
        return text (n == 0 ? end : "")
}

# Returns `BELAY_PRINTF(2, 3)` with one more parameter before the format.
function shifted(attributes,    numbers, found)
{
        if (match(attributes, /BELAY_PRINTF\([0-9]+, [0-9]+\)/)) {
                found = substr(attributes, RSTART, RLENGTH)
                split(found, numbers, /[(,) ]+/)
                sub(/BELAY_PRINTF\([0-9]+, [0-9]+\)/,
                    "BELAY_PRINTF(" numbers[2] + 1 ", " numbers[3] + 1 ")", attributes)
        }
        return attributes == "" ? "" : " " attributes
}

# Returns "int " or "const char *", so that a name can follow.
function before_name(type)
{
        return type (type ~ /\*$/ ? "" : " ")
}

function star(text)
{
        print " *" (text == "" ? "" : " ") text
}

function on_header(header, comment)
{
        current = header
}

function on_section(title) { }
function on_other(text, comment) { }

function on_function(    i, list, variadic, mark, start)
{
        if (!(name in placed))
                return
        placed[name] = "declared"
        if (current != shown) {
                shown = current
                mark = "\n/* " current " */\n"
                headers = headers "#include <belay/" current ">\n"
        }

        list[1] = "const char *place"
        for (i = 1; i <= count; i++)
                list[i + 1] = parameter[i]
        variadic = count > 0 && parameter[count] == "..."
        declarations = declarations mark \
                wrapped("BELAY_API " before_name(result) name "_placed(", list, count + 1,
                        ")" shifted(attributes) ";") "\n"
        masks = masks mark "#define " name (count > 0 ? "(...)" : "()") " " \
                name "_placed(BELAY_HERE" (count > 0 ? ", __VA_ARGS__" : "") ")\n"
        if (variadic)
                return

        functions = functions (mark == "" ? "\n" : mark)
        start = before_name(result) name "("
        start = start (count == 0 ? "void" : "")
        functions = functions wrapped(start, parameter, count, ") {") "\n"
        list[1] = "NULL"
        for (i = 1; i <= count; i++)
                list[i + 1] = parameter_name(parameter[i])
        start = "        " (result == "void" ? "" : "return ") name "_placed("
        functions = functions wrapped(start, list, count + 1, ");") "\n}\n"
}

BEGIN {
        width = 100
        while ((getline text <list_file) > 0)
                if (text !~ /^(#|$)/)
                        placed[text] = "listed"
}

END {
        for (name in placed)
                if (placed[name] == "listed") {
                        print list_file ": no public header declares " name >"/dev/stderr"
                        failed = 1
                }
        if (failed)
                exit 1
        print "/* SPDX-License-Identifier: MIT */"
        print "/*"
        if (what == "header") {
                star("The functions that record where they are called, each in two forms.")
                star("")
                star("X_placed(place, ...) is X with the call site as an argument. " \
                        "The macro X calls it")
                star("with the file and the line of the call. " \
                        "The header that declares X describes the")
                star("function. See \"Places\" in <belay/base.h>.")
                star("")
                star("script/places generates this header " \
                        "from src/places/places.list and the others.")
                print " */\n/* clang-format off */"
                print "#ifndef BELAY_PLACES_H\n#define BELAY_PLACES_H\n"
                print headers "\nBELAY_BEGIN\n" declarations "\nBELAY_END\n"
                print "#ifndef BELAY_NO_PLACES\n" masks "\n#endif\n#endif"
        } else {
                star("The plain forms of the functions that record their call site, " \
                        "for calls through")
                star("pointers and for callers that leave out the masks of <belay/places.h>.")
                star("")
                star("script/places generates this file " \
                        "from src/places/places.list and the headers.")
                print " */"
                printf "#define BELAY_NO_PLACES\n#include <belay.h>\n%s", functions
        }
}
