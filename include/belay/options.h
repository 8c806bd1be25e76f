/* SPDX-License-Identifier: MIT */
/*
 * Options. Structs that begin with their own size, so that a program built against an older header
 * goes on working: the library takes what the program does not know of as zero. Zero always means
 * the default. BELAY_OPTIONS makes one in place:
 *
 *     belay_spawn_with(fn, arg, BELAY_OPTIONS(belay_spawn_options, .name = "reader", .destroy = free))
 *
 * C++ takes the same from C++17 on, if it names the members in the order in which the struct has
 * them. There the macro makes a belay_options<belay_spawn_options>, which converts to a pointer to
 * its options. The pointer is good for as long as the object lives: until the call returns, or
 * until a variable that holds the object goes. A program may also fill such an object itself, in
 * any order:
 *
 *     belay_options<belay_spawn_options> options;
 *     options->destroy = free;
 *     options->name = "reader";
 *     belay_spawn_with(fn, arg, options);
 */
#ifndef BELAY_OPTIONS_H
#define BELAY_OPTIONS_H

#include <stddef.h>

#ifndef __cplusplus
#  define BELAY_OPTIONS(type, ...) (&(type){ .size = sizeof(type), __VA_ARGS__ })
#else
/*
 * C++17 has designated initializers as an extension, and g++ warns of each member that they leave
 * out. Compilers say neither of what a macro of a system header expands to.
 */
#pragma GCC system_header

#if defined(__clang__) && defined(__has_cpp_attribute)
#  if __has_cpp_attribute(clang::lifetimebound)
#    define BELAY_WITHIN_LIFETIME [[clang::lifetimebound]]
#  endif
#endif
#ifndef BELAY_WITHIN_LIFETIME
#  define BELAY_WITHIN_LIFETIME
#endif

extern "C++" {

/* An object with options. The constructor sets their size and leaves all else at the default. */
template <typename Type> struct belay_options {
        belay_options() : options() { options.size = sizeof(Type); }
        explicit belay_options(const Type &from) : options(from) {}

        Type *operator->() { return &options; }
        operator const Type *() const BELAY_WITHIN_LIFETIME { return &options; }

private:
        Type options;
};

template <typename Type> belay_options<Type> belay_options_of(const Type &from) {
        return belay_options<Type>(from);
}

}

#define BELAY_OPTIONS(type, ...) belay_options_of(__extension__ type{ .size = sizeof(type), __VA_ARGS__ })
#endif
#endif
