# SPDX-License-Identifier: MIT
"""
Error codes: what the text of src/ says that public functions return, against their comments.

    errors.py EXCEPTIONS DOCUMENTED SOURCE...

DOCUMENTED is what errors.awk prints. errors.exceptions explains EXCEPTIONS.

A function returns a code if an expression that it returns has the code, or calls a function that
returns it. A variable stands for all that is assigned to it within the function. Paths, values and
calls through pointers are not followed, so that exceptions remain.

A function does not return a code of its comment if none of the functions whose values it returns
has the code anywhere. Nothing is known of system calls and of calls through pointers.
"""
import re
import sys

CODE = r"E[A-Z][A-Z0-9]{2,}"
NOT_CODES = re.compile(r"^(EPOLL|EXIT|EOF$|EVENT)")
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "likely", "unlikely", "do", "else"}


def without_comments(text):
    """Comments and texts become blanks; what the preprocessor reads goes, too."""
    pattern = r'/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
    text = re.sub(pattern, lambda m: '""' if m[0][0] == '"' else " ", text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", "", text, flags=re.M)


class Function:
    def __init__(self, name, file, head, body):
        self.name, self.file, self.body = name, file, body
        self.static = bool(re.search(r"\bstatic\b", head))
        self.codes, self.callees = self.returned()
        # All codes that it has anywhere, as they may come out in ways that cannot be read.
        self.any_codes = codes_of(body)
        # The system, and functions that are called through pointers, may return any.
        self.is_open = bool(re.search(r"\berrno\b|->res\b|\bsyscall\b|(?:\.|->)\w+\(", body))

    def returned(self):
        """The codes and the calls in what is returned, by way of variables."""
        assigned = {}
        for match in re.finditer(r"(?<![\w.>])(\w+) (?:\|)?= ([^=;][^;]*);", self.body):
            assigned.setdefault(match[1], []).append(match[2])
        queue = re.findall(r"\breturn\b([^;]*);", self.body)
        queue += [f"-{c}" for c in re.findall(rf"\berrno = ({CODE})\b", self.body)]
        queue += re.findall(r"\berrno = -([^;]*);", self.body)
        codes, callees, seen = set(), set(), set()
        while queue:
            text = queue.pop()
            # A code that is compared with is none that is returned, and neither is a condition.
            text = re.sub(rf"[=!]= -{CODE}|[=!]= {CODE}", " ", text)
            codes |= codes_of(text)
            callees |= set(re.findall(r"\b([a-z_][a-z_0-9]*)\s*\(", text)) - KEYWORDS
            for name in re.findall(r"(?<![\w.>])[a-z_]\w*\b(?!\s*\()", text):
                if name in assigned and name not in seen:
                    seen.add(name)
                    queue += assigned[name]
        return codes, callees


def codes_of(text):
    return {c for c in re.findall(rf"-({CODE})\b", text) if not NOT_CODES.match(c)}


def functions_of(file):
    text = without_comments(open(file).read())
    definition = r"^([A-Za-z_][^;{}#=]*?)\b(\w+)(\((?:[^;{}])*\))\s*\{\n(.*?)^\}"
    for match in re.finditer(definition, text, flags=re.M | re.S):
        head = match[1]
        # Attributes with parentheses of their own stand before the name, too.
        name = re.search(r"(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*$", match[1] + match[2] + match[3])
        yield Function(name[1] if name else match[2], file, head, match[4])


class Program:
    def __init__(self, files):
        self.by_name, self.by_file = {}, {}
        for file in files:
            for function in functions_of(file):
                self.by_file[file, function.name] = function
                if not function.static or file.endswith(".h"):
                    self.by_name[function.name] = function
        self.more, self.without = {}, {}
        self.needed = set()

    def find(self, name, file):
        return self.by_file.get((file, name)) or self.by_name.get(name)

    def named(self, text):
        """A function as exceptions name it: "name", or "src/part/file.c:name" if it is static."""
        file, _, name = text.rpartition(":")
        return self.find(name, file)

    def propagate(self):
        """For each function the codes that it returns, each with the function that has it."""
        functions = list(self.by_file.values())
        for function in functions:
            own = function.codes | self.more.get(function, set())
            dropped = self.without.get(function, set())
            self.needed |= {(function, c) for c in own & dropped}
            function.returns = {c: function for c in own - dropped}
        changed = True
        while changed:
            changed = False
            for function in functions:
                dropped = self.without.get(function, set())
                for name in function.callees:
                    callee = self.find(name, function.file)
                    for code, origin in callee.returns.items() if callee else ():
                        if code in dropped:
                            self.needed.add((function, code))
                        elif code not in function.returns:
                            function.returns[code] = origin
                            changed = True

    def may_return(self, start):
        """Every code in the functions whose values it returns; None if one of them is open."""
        codes = set()
        seen, queue = {start}, [start]
        while queue:
            function = queue.pop()
            if function.is_open:
                return None
            codes |= function.any_codes | self.more.get(function, set())
            for name in function.callees:
                found = self.find(name, function.file)
                if found and found not in seen:
                    seen.add(found)
                    queue.append(found)
        return codes


def main():
    exceptions, documented, *files = sys.argv[1:]
    program = Program(files)
    never, hidden = {}, {}
    problems = []

    for number, line in enumerate(open(exceptions), 1):
        if line.startswith("#") or not line.strip():
            continue
        form = rf"(never|hidden|more|without) (\S+)((?: -{CODE})+): \S.*"
        match = re.fullmatch(form, line.strip())
        if not match:
            problems.append(f"{exceptions}:{number}: not of the form of an exception")
            continue
        kind, name, codes = match[1], match[2], codes_of(match[3])
        if kind in ("more", "without"):
            if program.named(name):
                getattr(program, kind).setdefault(program.named(name), set()).update(codes)
            else:
                problems.append(f"{exceptions}:{number}: no function {name}")
        else:
            for code in codes:
                (never if kind == "never" else hidden)[name, code] = number
    program.propagate()

    count = 0
    for line in open(documented):
        name, *words = line.split()
        listed = codes_of(" ".join(words))
        stated = listed | {word[1:] for word in words}
        function = program.by_name.get(name + "_placed") or program.by_name.get(name)
        if not function:
            problems.append(f"{name}(): not found in the sources")
            continue
        count += 1
        for code, origin in sorted(function.returns.items()):
            if code in stated:
                continue
            if (name, code) in never:
                never.pop((name, code))
                continue
            problems.append(f"{name}(): its comment does not have -{code}, which comes from "
                            f"{origin.name}() in {origin.file}")
        possible = program.may_return(function)
        for code in sorted(listed - possible if possible is not None else ()):
            if (name, code) in hidden:
                hidden.pop((name, code))
                continue
            problems.append(f"{name}(): its comment has -{code}, which none of its callees has")

    for function, codes in program.without.items():
        for code in sorted(codes):
            if (function, code) not in program.needed:
                problems.append(f"{exceptions}: without {function.name} -{code}: not needed")
    for (name, code), number in sorted({**never, **hidden}.items()):
        problems.append(f"{exceptions}:{number}: {name}() -{code}: not needed")
    if count < 100:
        problems.append(f"only {count} public functions were found")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
