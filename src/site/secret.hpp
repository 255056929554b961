// A text that must never be printed: it has no operator<<, no fmt formatter and no comparison, and
// whoever needs it says Reveal() where a reviewer can see it.
#pragma once

#include <string>
#include <utility>

namespace meridian::site {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace meridian::site
