// What commands know of the terminal that they write to.
#pragma once

#include <cstddef>
#include <string_view>

namespace meridian::cli {

// Of the terminal at standard output; 0: it is no terminal.
size_t TerminalColumns();

// The first `columns` letters of a text in UTF-8, or fewer if it has fewer.
std::string_view FirstLetters(std::string_view text, size_t columns);

}  // namespace meridian::cli
