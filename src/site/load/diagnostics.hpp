// What is wrong with a site.toml, for its author to read: a list of problems with their places in
// the text, rendered as a conversation.
//
//   site.toml:14:1: unknown key "locaton" in [[datacenter]]
//      14 | locaton = "Ashburn"
//         | ^^^^^^^ did you mean "location"?
//
// A value: owned by whoever loads the file. Problems stay sorted by position, none stands twice,
// and there are at most kMaxDiagnostics (the earliest in the file are kept).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace meridian::site {

// Where in the text: 1-based line and column, both counted as an editor does (columns are code
// points). Line 0 is the file as a whole. `width` is how many columns to underline.
struct SourceSpan {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t width = 1;

  auto operator<=>(const SourceSpan&) const = default;
};

struct Diagnostic {
  SourceSpan where;
  std::string problem;  // one line: what is wrong, and what was expected
  std::string hint;     // what to do about it, or empty

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

  // All problems and a last line that counts them. Ends with a newline. Control characters and
  // broken UTF-8 that came from the file are replaced, so that a file cannot drive the terminal,
  // and passwords in URLs are masked.
  std::string Render(const RenderOptions& options = {}) const;

 private:
  std::string Line(uint32_t number) const;

  std::string file_;
  std::string text_;
  std::vector<Diagnostic> sorted_;
  size_t omitted_ = 0;
};

// Whether text for people on this file descriptor may be coloured: it is a terminal, NO_COLOR
// (no-color.org) is unset or empty, and TERM is not "dumb".
bool WantsColor(int file_descriptor);

}  // namespace meridian::site
