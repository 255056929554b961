// The errors of a site.toml, for its author: a list of problems with their positions in the text,
// rendered like this:
//
//   site.toml:14:1: unknown key "locaton" in [[datacenter]]
//      14 | locaton = "Ashburn"
//         | ^^^^^^^ did you mean "location"?
//
// A value, owned by the caller of Load. Problems are sorted by position and unique, at most
// kMaxDiagnostics (the earliest in the file are kept).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace meridian::site {

// A position in the text: 1-based line and column, counted as editors do (columns are code points).
// Line 0 is the file as a whole. `width` is the number of columns to underline.
struct SourceSpan {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t width = 1;

  auto operator<=>(const SourceSpan&) const = default;
};

struct Diagnostic {
  SourceSpan where;
  std::string problem;  // one line: the problem, and the expected value
  std::string hint;     // how to fix it, or empty

  bool operator==(const Diagnostic&) const = default;
};

struct RenderOptions {
  bool color = false;
};

class Diagnostics {
 public:
  // `file` is the name to print; `text` its content, from which lines are quoted.
  Diagnostics(std::string file, std::string text);

  void Add(Diagnostic diagnostic);
  bool empty() const { return sorted_.empty(); }
  std::span<const Diagnostic> list() const { return sorted_; }

  // All problems and a last line with their number. Ends with a newline. Control characters and
  // invalid UTF-8 from the file are replaced, so that a file cannot control the terminal. Passwords
  // in URLs are masked.
  std::string Render(const RenderOptions& options = {}) const;

 private:
  std::string Line(uint32_t number) const;

  std::string file_;
  std::string text_;
  std::vector<Diagnostic> sorted_;
  size_t omitted_ = 0;
};

// True if output on this file descriptor may have colors: it is a terminal, NO_COLOR (no-color.org)
// is unset or empty, and TERM is not "dumb".
bool WantsColor(int file_descriptor);

}  // namespace meridian::site
