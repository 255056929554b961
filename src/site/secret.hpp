// A text that must never be printed. It has no operator<<, no fmt formatter and no comparison: code
// that needs the text calls Reveal(), which reviewers can find.
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
