# SPDX-License-Identifier: MIT
#
# Generates manual pages from the comments of public headers. script/man runs this after
# script/headers.awk. Variables: the directory `into`, and the library's `version` and its `date`.
#
# Each header of include/belay becomes a page of section 3, with a link for each of its functions.
# belay.h becomes the page belay(7). The markup is mdoc(7).

# ---- text ----

# Escapes the characters that have a meaning in roff. A hyphen before a code or an option becomes a
# minus sign.
function escaped(text)
{
        gsub(/\\/, "\\e", text)
        gsub(/`/, "\\(ga", text)
        gsub(/'/, "\\(aq", text)
        gsub(/~/, "\\(ti", text)
        gsub(/\^/, "\\(ha", text)
        return text
}

function emit(text)
{
        out = out text "\n"
}

# Writes the gathered line of text.
function flush()
{
        if (gathered != "")
                emit(gathered)
        gathered = ""
}

# Adds one word of a text. The name of a function becomes a macro, in a line of its own.
function word_of_text(word,    before, after, base)
{
        if (match(word, /[A-Za-z_][A-Za-z_0-9]*\(\)/)) {
                before = substr(word, 1, RSTART - 1)
                base = substr(word, RSTART, RLENGTH - 2)
                after = substr(word, RSTART + RLENGTH)
                flush()
                if (before ~ /^[(\[]$/ && after ~ /[)\]]/) {
                        sub(/[)\]]/, "", after)
                        emit((before == "(" ? ".Pq" : ".Bq") " Fn " base separated(after))
                } else {
                        if (before != "")
                                emit(".Pf " quoted(escaped(before)) " Fn " base separated(after))
                        else
                                emit(".Fn " base separated(after))
                }
                return
        }
        word = escaped(word)
        if (word ~ /^[("]*-[A-Za-z0-9]/)
                sub(/-/, "\\-", word)
        if (gathered != "" && length(gathered) + 1 + length(word) > 76)
                flush()
        if (gathered == "" && word ~ /^[.]/)
                word = "\\&" word
        gathered = gathered (gathered == "" ? "" : " ") word
        if (word ~ /[.!?][)"]*$/)
                flush()
}

# Returns the text after a macro's argument. Each delimiter becomes an argument; any other text is
# joined without a space.
function separated(text,    i, list)
{
        if (text == "")
                return ""
        if (text !~ /^[.,;:)\]?!]+$/)
                return " Ns " quoted(escaped(text))
        for (i = 1; i <= length(text); i++)
                list = list " " substr(text, i, 1)
        return list
}

function quoted(text)
{
        gsub(/"/, "\\(dq", text)
        return "\"" text "\""
}

function paragraph_words(text,    words, n, i)
{
        n = split(text, words, / +/)
        for (i = 1; i <= n; i++)
                if (words[i] != "")
                        word_of_text(words[i])
}

function literal(text)
{
        text = escaped(text)
        gsub(/-/, "\\-", text)
        return (text ~ /^[.]/ ? "\\&" : "") text
}

# Ends the open list or display.
function end_block()
{
        flush()
        if (block == "literal")
                emit(".Ed")
        else if (block == "bullets" || block == "codes")
                emit(".El")
        block = ""
}

function end_label()
{
        end_block()
        if (in_labels)
                emit(".El")
        in_labels = 0
}

# Converts a comment, starting with its line `first`. `apart` says that the first paragraph does not
# follow a heading directly.
function comment_text(text, first, apart,    lines, n, i, blank, label)
{
        n = split(text, lines, "\n")
        blank = apart
        in_labels = 0
        block = ""
        for (i = first; i <= n; i++) {
                if (lines[i] == "") {
                        blank = 1
                        if (block == "literal" && lines[i + 1] ~ /^    /)
                                emit("")
                        else if (block != "bullets" || lines[i + 1] !~ /^    - /)
                                end_block()
                        continue
                }
                if (lines[i] ~ /^(Returns|Errors|Cancellation|Threads|Ownership):/) {
                        end_block()
                        if (!in_labels)
                                emit(".Bl -tag -width Ds")
                        in_labels = 1
                        label = lines[i]
                        sub(/:.*/, "", label)
                        emit(".It " label ":")
                        sub(/^[A-Z][a-z]*: */, "", lines[i])
                        paragraph_words(lines[i])
                        blank = 0
                        continue
                }
                if (in_labels && label == "Errors" && match(lines[i], /^  -?E[A-Z0-9, -]+/)) {
                        match(lines[i], /^  -?E[A-Z0-9]+(, -E[A-Z0-9]+)*/)
                        flush()
                        if (block != "codes")
                                emit(".Bl -tag -width Ds -compact")
                        block = "codes"
                        emit(".It " literal(substr(lines[i], 3, RLENGTH - 2)))
                        paragraph_words(substr(lines[i], RLENGTH + 1))
                        continue
                }
                if (!in_labels && lines[i] ~ /^    - /) {
                        if (block != "bullets") {
                                end_block()
                                emit(".Bl -bullet -compact")
                        }
                        flush()
                        block = "bullets"
                        emit(".It")
                        paragraph_words(substr(lines[i], 7))
                        continue
                }
                if (!in_labels && lines[i] ~ /^    / && block != "bullets") {
                        if (block != "literal") {
                                end_block()
                                emit(".Bd -literal -offset indent")
                        }
                        block = "literal"
                        emit(literal(substr(lines[i], 5)))
                        continue
                }
                if (in_labels && block == "codes" && lines[i] !~ /^ /)
                        end_block()
                if (!in_labels && block != "" && lines[i] !~ /^    /)
                        end_block()
                if (blank && lines[i] !~ /^    / && block == "") {
                        flush()
                        emit(".Pp")
                }
                blank = 0
                paragraph_words(lines[i])
        }
        end_label()
}

# ---- pages ----

function end_page(    file, i, text)
{
        if (page == "")
                return
        file = into "/man" chapter "/" page "." chapter
        text = ".\\\" SPDX-License-Identifier: MIT\n"
        text = text ".\\\" Generated by script/man from " origin ".\n"
        text = text ".Dd " date "\n.Dt " toupper(page) " " chapter "\n.Os\n.Sh NAME\n.Nm " page
        # The page of cancel.h has the name of a function, so that name is not repeated.
        for (i = 1; i <= functions; i++)
                if (function_name[i] != page)
                        text = text " ,\n.Nm " function_name[i]
        text = text "\n.Nd " about "\n"
        if (chapter == 3)
                text = text ".Sh LIBRARY\nbelay " version " (libbelay, \\-lbelay)\n"
        text = text ".Sh SYNOPSIS\n.In " included "\n" synopsis
        text = text ".Sh DESCRIPTION\n" out ".Sh SEE ALSO\n"
        printf "%s", text >file
        see_also(file)
        close(file)
        for (i = 1; i <= functions; i++) {
                if (function_name[i] == page)
                        continue
                file = into "/man3/" function_name[i] ".3"
                print ".so man3/" page ".3" >file
                close(file)
        }
}

function see_also(file,    i, other, before)
{
        before = chapter == 7 ? ".Xr belay 1" : ""
        for (i = 1; i < ARGC; i++) {
                other = page_of(ARGV[i])
                if (other == "belay" || other == page)
                        continue
                if (before != "")
                        print before " ," >file
                before = ".Xr " other " 3"
        }
        print before (chapter == 7 ? "" : " ,\n.Xr belay 7") >file
}

# Returns the page name "belay_sync" for include/belay/sync.h.
function page_of(file)
{
        sub(/\.h$/, "", file)
        sub(/.*\//, "", file)
        return file == "belay" ? file : "belay_" file
}

function on_header(header, comment,    first, lines, n, i)
{
        end_page()
        origin = FILENAME
        page = page_of(FILENAME)
        chapter = page == "belay" ? 7 : 3
        included = page == "belay" ? "belay.h" : "belay/" header
        functions = 0
        out = synopsis = ""
        in_functions = 0

        # The first paragraph is the one-line description, without its full stop.
        n = split(comment, lines, "\n")
        about = lines[1]
        for (first = 2; first <= n && lines[first] != ""; first++)
                about = about " " lines[first]
        sub(/\.$/, "", about)
        sub(/^belay: /, "", about)
        about = escaped(about)
        comment_text(comment, first + 1, 0)
}

function on_section(title)
{
        # The invisible prefix keeps mandoc from reporting "NAMES" as a misspelled "NAME".
        emit(".Sh \\&" toupper(title))
        in_functions = 1
}

function begin_functions()
{
        if (!in_functions)
                emit(chapter == 3 ? ".Sh FUNCTIONS AND TYPES" : ".Sh MACROS")
        in_functions = 1
}

function on_other(text, comment,    lines, n, i)
{
        # Skips include guards, macros of the library's own use, and declarations without content.
        if (comment == "" && (text ~ /^#/ || text ~ /^struct [a-z_0-9]+;$/))
                return
        begin_functions()
        emit(".Bd -literal")
        n = split(text, lines, "\n")
        for (i = 1; i <= n; i++)
                emit(literal(lines[i]))
        emit(".Ed")
        comment_text(comment, 1, 1)
}

function on_function(    i, declared)
{
        begin_functions()
        function_name[++functions] = name
        declared = ".Ft " quoted(escaped(result)) "\n.Fo " name "\n"
        if (count == 0)
                declared = declared ".Fa void\n"
        for (i = 1; i <= count; i++)
                declared = declared ".Fa " quoted(escaped(parameter[i])) "\n"
        synopsis = synopsis declared ".Fc\n"
        emit(".Ss " name)
        comment_text(comment, 1, 0)
}

END { end_page() }
