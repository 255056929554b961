#include "edge/cache/tags.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/cache/limits.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

class TagReader {
 public:
  void Split(std::string_view value, std::string_view separators) {
    while (ok_ && !value.empty()) {
      size_t end = std::min(value.find_first_of(separators), value.size());
      Add(wire::http::TrimWhitespace(value.substr(0, end)));
      value.remove_prefix(std::min(end + 1, value.size()));
    }
  }
  std::optional<std::vector<std::string_view>> Take() {
    if (!ok_) return std::nullopt;
    return std::move(tags_);
  }

 private:
  void Add(std::string_view tag) {
    if (tag.empty() || std::ranges::find(tags_, tag) != tags_.end()) return;
    ok_ = tags_.size() < kMaxTags && tag.size() <= kMaxTagBytes;
    if (ok_) tags_.push_back(tag);
  }

  std::vector<std::string_view> tags_;
  bool ok_ = true;
};

}  // namespace

std::optional<std::vector<std::string_view>> ReadTags(const wire::http::HeaderFields& fields) {
  TagReader reader;
  fields.ForEach("Surrogate-Key", [&](std::string_view value) { reader.Split(value, " \t,"); });
  fields.ForEach("Cache-Tag", [&](std::string_view value) { reader.Split(value, ","); });
  return reader.Take();
}

}  // namespace meridian::edge
