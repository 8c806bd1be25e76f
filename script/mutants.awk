# SPDX-License-Identifier: MIT
#
# Lists the mutants of a C source, for script/mutate. Each is a line `file <tab> number <tab> kind
# <tab> the line as it is mutated'.
#
# Each mutant changes one token, negates one condition, or drops one statement. Comments, strings,
# preprocessor lines and type definitions stay unchanged.

# Returns the line with comments and strings blanked out, so that all positions stay the same.
function code_of(line,    out, i, c, two) {
        out = ""
        for (i = 1; i <= length(line); i++) {
                c = substr(line, i, 1)
                two = substr(line, i, 2)
                if (in_comment) {
                        if (two == "*/") { in_comment = 0; i++; out = out " " }
                        out = out " "
                } else if (two == "/*") {
                        in_comment = 1; i++; out = out "  "
                } else if (two == "//") {
                        while (length(out) < length(line)) out = out " "
                        break
                } else if (c == "\"" || c == "'") {
                        out = out c
                        for (i++; i <= length(line) && substr(line, i, 1) != c; i++) {
                                if (substr(line, i, 1) == "\\") { i++; out = out "." }
                                out = out "."
                        }
                        out = out c
                } else {
                        out = out c
                }
        }
        return out
}

function emit(kind, at, size, with) {
        printf "%s\t%d\t%s\t%s\n", file, FNR, kind, substr($0, 1, at - 1) with substr($0, at + size)
}

# Returns the position of the parenthesis that closes the one at `at', or 0 if it is not in this
# line.
function closing(code, at,    depth, i, c) {
        for (i = at; i <= length(code); i++) {
                c = substr(code, i, 1)
                depth += (c == "(") - (c == ")")
                if (depth == 0) return i
        }
        return 0
}

function operators(code,    i, size, op, spaced, is_one) {
        for (i = 1; i <= length(code); i += size) {
                for (size = 3; size > 0; size--) {
                        op = substr(code, i, size)
                        if (length(op) == size && (op in other || op in passed)) break
                }
                if (size == 0) { size = 1; continue }
                if (!(op in other)) continue
                is_one = op ~ /^[-<>+*\/%&|]$|^<<$|^>>$/
                spaced = substr(code, i - 1, 1) == " " && substr(code, i + size, 1) == " "
                if (is_one && !spaced) continue
                emit("operator " op, i, size, other[op])
        }
}

function words(code, is_array,    rest, at, word, start, digits, with) {
        rest = code
        start = 1
        while (match(rest, /[A-Za-z0-9_.]+/)) {
                at = start + RSTART - 1
                word = substr(rest, RSTART, RLENGTH)
                rest = substr(rest, RSTART + RLENGTH)
                start = at + length(word)
                if (substr(code, at - 1, 1) == "\"" || substr(code, at - 1, 1) == "'") continue
                with = ""
                if (word == "true") with = "false"
                else if (word == "false") with = "true"
                else if (word ~ /^E[A-Z][A-Z0-9]+$/ && word !~ /^(EOF|EPOLL)/)
                        with = word == "EDOM" ? "EILSEQ" : "EDOM"
                else if (word ~ /^[0-9]+[uUlL]*$/ && !is_array &&
                        substr(code, 1, at - 1) !~ /(<|>=) $/) {
                        digits = word
                        sub(/[uUlL]+$/, "", digits)
                        with = digits == 0 ? 1 : digits == 1 ? 0 : digits + 1
                        with = with substr(word, length(digits) + 1)
                }
                if (with != "") emit("word " word, at, length(word), with)
        }
}

function conditions(code,    rest, at, open, end, condition, start) {
        rest = code
        start = 1
        while (match(rest, /(if|while) \(/)) {
                at = start + RSTART - 1
                open = at + RLENGTH - 1
                rest = substr(rest, RSTART + RLENGTH)
                start = open + 1
                end = closing(code, open)
                if (end == 0) continue
                condition = substr(code, open + 1, end - open - 1)
                if (condition ~ /[=!<>]=|[^-]>|<|&&|[|][|]|^!/) continue
                emit("condition", open, end - open + 1, "(!" substr($0, open, end - open + 1) ")")
        }
}

function statements(code,    text, at) {
        text = code
        sub(/^ +/, "", text)
        sub(/ +$/, "", text)
        at = length(code) - length(text) + 1
        if (match(code, /[^ ]/)) at = RSTART
        if (text ~ /^return .+;$/) {
                if (text !~ /^return (-?[0-9]+|true|false|NULL);$/)
                        emit("return", at, length(text), "return 0;")
                return
        }
        if (text ~ /^(break|continue);$/) { emit("dropped", at, length(text), ";"); return }
        if (text !~ /;$/) return
        if (text ~ /^(if|else|while|for|do|switch|case|default|return)[^a-z_0-9]/) return
        if (text ~ /^(static|const|struct|typedef)[^a-z_0-9]/) return
        if (text ~ /^(\(void\) )?[A-Za-z_][A-Za-z0-9_]*(->[a-z_]+|\.[a-z_]+)*\(.*\);$/ \
            || text ~ /^\*?[A-Za-z_][^ ]* [-+|&]?= .*;$/)
                emit("dropped", at, length(text), ";")
}

BEGIN {
        split("== != <= < >= > && || ++ -- += -= |= &= < > + - * / % & | ! << >>", from, " ")
        split("!= == < <= > >= || && -- ++ -= += &= |= <= >= - + + * * | & - >> <<", to, " ")
        for (i in from) other[from[i]] = to[i]
        other["!"] = ""
        split("<<= >>= -> ->", skipped, " ")
        for (i in skipped) passed[skipped[i]] = 1
}

FNR == 1 { file = FILENAME; in_comment = depth = in_type = in_directive = 0 }

{
        code = code_of($0)
        is_directive = in_directive || code ~ /^ *#/
        in_directive = is_directive && $0 ~ /\\$/
        if (is_directive) next
        before = depth
        for (i = 1; i <= length(code); i++)
                depth += (substr(code, i, 1) == "{") - (substr(code, i, 1) == "}")
        if (before == 0 && code ~ /^(typedef )?(static )?(struct|enum|union)( [a-z_0-9]+)? \{/)
                in_type = depth > 0
        if (in_type || (before == 0 && depth == 0 && code !~ /=/)) {
                if (depth == 0) in_type = 0
                next
        }
        if (code ~ /^(enum|_Static_assert)/ || (before == 0 && code ~ /\) \{ *$/)) next
        is_array = code ~ /^ *[a-z].*\[[A-Z0-9a-z_ +*]*\];$/ && code !~ /=|return/
        operators(code)
        words(code, is_array)
        conditions(code)
        statements(code)
}
