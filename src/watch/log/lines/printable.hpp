// AppendPrintable: any bytes of a process's output as text that can be stored, searched, and shown
// on a terminal. Pure; any thread.
//
// - Terminal sequences (ECMA-48 CSI, such as colours, and OSC, such as titles) are removed:
// kColours.
// - Other control bytes but newline and tab, the controls U+0080 to U+009F, and bytes that are not
//   UTF-8 (RFC 3629) become four characters, \xNN with capital digits: kEscaped. A text that has
//   these four characters itself is told apart by the mark alone.
#pragma once

#include <string>
#include <string_view>

#include "watch/log/entry.hpp"

namespace meridian::watch {

// Appends at most 4 bytes for each of `bytes`.
void AppendPrintable(std::string& out, std::string_view bytes, EntryMarks* marks);

// Whether AppendPrintable changes nothing.
bool IsPrintable(std::string_view bytes);

}  // namespace meridian::watch
