# SPDX-License-Identifier: MIT
#
# The form of the comments in public headers: headers.sh runs this after script/headers.awk.

function complain(text)
{
        print FILENAME ":" (line ? line ": " name "()" : "") ": " text
        wrong = 1
}

function on_header(header, comment)
{
        line = 0
        if (comment == "")
                complain("the header has no comment of its own")
        top_cancellation = comment ~ /(^|\n)Cancellation: /
        top_threads = comment ~ /(^|\n)Threads: /
}

function on_section(title)
{
        line = 0
        if (title !~ /^[a-z]/ || title ~ /\.$/)
                complain("section \"" title "\": a title is a noun phrase without a full stop")
}

function on_other(text, comment) { }

# An entry of "Errors:" has ended.
function ends_entry()
{
        if (entry != "" && entry !~ /\.\)?$/)
                complain("an entry of \"Errors:\" does not end with a full stop: " entry)
        entry = ""
}

function on_function(    lines, n, i, label, last, seen)
{
        if (comment == "") {
                complain("has no comment directly above it")
                return
        }
        functions++

        n = split(comment, lines, "\n")
        if (length(lines[1]) > 80)
                complain("the summary has more than 80 columns")
        if (lines[1] !~ /^[A-Z][a-z]+ .*\.$/)
                complain("the summary is no sentence that ends with a full stop: " lines[1])
        if (lines[1] ~ /^[A-Z][a-z]*[^s]s /)
                complain("the summary does not begin with an imperative: " lines[1])
        if (n > 1 && lines[2] != "")
                complain("the summary is not followed by an empty line")

        last = 0
        label = entry = ""
        split("", seen)
        for (i = 2; i <= n; i++) {
                if (lines[i] ~ /^[A-Z][a-z]+:( |$)/) {
                        ends_entry()
                        label = lines[i]
                        sub(/:.*/, "", label)
                        if (!(label in order))
                                complain("no such label: " label ":")
                        else if (order[label] <= last)
                                complain("the label " label ": is out of order or there twice")
                        else
                                last = order[label]
                        seen[label] = 1
                        if (label == "Errors" ? lines[i] != "Errors:" : lines[i] ~ /:$/)
                                complain("the text of " label ": is in the wrong line")
                        if (label == "Returns" && lines[i - 1] != "")
                                complain("no empty line stands before Returns:")
                } else if (label == "Errors") {
                        if (match(lines[i], /^  -E[A-Z0-9]+(, -E[A-Z0-9]+)*  +/)) {
                                ends_entry()
                                entry = substr(lines[i], RLENGTH + 1)
                                if (substr(lines[i], 1, RLENGTH) ~ /-ECANCELED/)
                                        seen["-ECANCELED"] = 1
                        } else if (entry == "" || lines[i] !~ /^      /) {
                                complain("\"Errors:\" has a line of another form: " lines[i])
                        } else {
                                entry = lines[i]
                        }
                }
        }
        ends_entry()

        if (result == "void" && ("Returns" in seen))
                complain("has a Returns: and returns nothing")
        if (result != "void" && !("Returns" in seen))
                complain("has no Returns:")
        if (!("Cancellation" in seen) && !top_cancellation)
                complain("neither the function nor its header has a Cancellation:")
        if (!("Threads" in seen) && !top_threads)
                complain("neither the function nor its header has a Threads:")
        if (("-ECANCELED" in seen) && attributes ~ /BELAY_MUST_USE/ && !("Cancellation" in seen))
                complain("returns -ECANCELED and has no Cancellation:")
}

BEGIN {
        split("Returns Errors Cancellation Threads Ownership", labels, " ")
        for (i in labels)
                order[labels[i]] = i + 0
}

END {
        if (functions < 100) {
                print "only " functions + 0 " functions were found"
                wrong = 1
        }
        exit wrong
}
