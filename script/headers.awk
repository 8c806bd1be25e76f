# SPDX-License-Identifier: MIT
#
# Reads public headers, for the scripts that generate files from them or test them:
#
#     awk -f script/headers.awk -f script/ITS-OWN.awk include/belay/*.h
#
# The second script defines a function for each part of a header. This one calls them in the order
# of the text:
#
#     on_header(header, comment)      start of a header ("sync.h"); its file comment
#     on_section(title)               a line of the form "/* ---- title ---- */"
#     on_function()                   a declared function, in these variables:
#                                     name, result ("const char *"), attributes, comment, line,
#                                     count, parameter[1..count] ("int fd"; none for "void")
#     on_other(text, comment)         a type, macro or object, literally; its comment
#
# A comment consists of its lines without the comment marks, joined by newlines. It is empty if no
# comment stands directly above the declaration.

# Returns the text of a comment's line without " * ".
function bare(text)
{
        if (!sub(/^ \* /, "", text) && !sub(/^ \*$/, "", text))
                sub(/^ /, "", text)
        return text
}

# Splits text at the commas that are outside of parentheses.
function split_parameters(text,    i, c, depth)
{
        split("", parameter)
        count = 0
        if (text == "void" || text == "")
                return
        count = 1
        for (i = 1; i <= length(text); i++) {
                c = substr(text, i, 1)
                depth += (c == "(") - (c == ")")
                if (c == "," && depth == 0)
                        count++
                else if (c != " " || parameter[count] != "")
                        parameter[count] = parameter[count] c
        }
}

# Returns the position of the parenthesis that closes the one at position `at`.
function closing(text, at,    i, c, depth)
{
        for (i = at; i <= length(text); i++) {
                c = substr(text, i, 1)
                depth += (c == "(") - (c == ")")
                if (depth == 0)
                        return i
        }
        return 0
}

# Returns the name of the parameter that `text` declares.
function parameter_name(text)
{
        if (match(text, /\(\*[a-z_0-9]+\)/))
                return substr(text, RSTART + 2, RLENGTH - 3)
        sub(/(\[[^\]]*\])+$/, "", text)
        match(text, /[A-Za-z_0-9]+$/)
        return substr(text, RSTART)
}

function ends_declaration(    open, close_at, head)
{
        gsub(/[ \t]+/, " ", declaration)
        sub(/^BELAY_API /, "", declaration)
        sub(/;$/, "", declaration)
        match(declaration, /[a-z_0-9]+\(/)
        open = RSTART + RLENGTH - 1
        close_at = closing(declaration, open)
        name = substr(declaration, RSTART, RLENGTH - 1)
        result = substr(declaration, 1, RSTART - 1)
        sub(/ $/, "", result)
        attributes = substr(declaration, close_at + 2)
        split_parameters(substr(declaration, open + 1, close_at - open - 1))
        on_function()
        comment = declaration = ""
}

function ends_other()
{
        if (other !~ /^#define BELAY_[A-Z_]+_H$/)
                on_other(other, comment)
        comment = other = ""
}

# Returns the number of braces that `text` opens and does not close.
function open_braces(text,    copy)
{
        copy = text
        return gsub(/{/, "", text) - gsub(/}/, "", copy)
}

FNR == 1 {
        header = FILENAME
        sub(/.*\//, "", header)
        comment = declaration = other = ""
        in_comment = top = 0
}

/^\/\* SPDX/ { next }

/^\/\* ---- .* ---- \*\/$/ {
        title = $0
        gsub(/^\/\* ---- | ---- \*\/$/, "", title)
        comment = ""
        on_section(title)
        next
}

in_comment {
        ended = sub(/ ?\*\/$/, "")
        if (!ended || bare($0) != "")
                comment = comment (comment == "" ? "" : "\n") bare($0)
        in_comment = !ended
        if (ended && !top) {
                top = 1
                on_header(header, comment)
                comment = ""
        }
        next
}

/^\/\*/ && declaration == "" && other == "" {
        ended = sub(/ ?\*\/$/, "")
        comment = bare(substr($0, 3))
        in_comment = !ended
        next
}

declaration != "" || (/^BELAY_API / && /\(/) {
        line = declaration == "" ? FNR : line
        declaration = declaration (declaration == "" ? "" : " ") $0
        if (declaration ~ /;$/)
                ends_declaration()
        next
}

other != "" || /^(typedef|struct|enum|BELAY_API extern) ?/ || /^#define / {
        other = other (other == "" ? "" : "\n") $0
        if (other ~ /^#/ ? other !~ /\\$/ : open_braces(other) == 0 && other ~ /;$/)
                ends_other()
        next
}

/^$/ { comment = "" }
