// StackTrace: which lines of a process's output belong to the line before: stack traces of Java,
// Python, node, Go, C++ (also of sanitizers), Rust, and anything indented. Pure; one object for
// each pipe; one thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::watch {

class StackTrace {
 public:
  // `line` begins an entry.
  void Begin(std::string_view line);
  // Whether `line`, which is not empty, belongs to the entry that has begun. Call it for each line,
  // in order; after `false`, Begin.
  bool Continues(std::string_view line);

 private:
  // What the first line announced. The lines of the last two need not be indented.
  enum class Kind : uint8_t { kOther, kPython, kGo, kSanitizer };

  bool ContinuesPython(std::string_view line);

  Kind kind_ = Kind::kOther;
  bool was_indented_ = false;
  bool ended_ = false;  // nothing that is not indented or announced follows
};

}  // namespace meridian::watch
