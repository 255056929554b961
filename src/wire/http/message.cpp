#include "wire/http/message.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "wire/http/characters.hpp"

namespace meridian::wire::http {
namespace {

void RebaseView(std::string_view* view, const char* from, size_t size, const char* to) {
  // Views of static text (a path "/" that the target omitted) are not moved.
  std::less<const char*> before;
  if (before(view->data(), from) || !before(view->data(), from + size)) return;
  *view = {to + (view->data() - from), view->size()};
}

// The position of the first comma outside a quoted string, or npos.
size_t FindSeparator(std::string_view text) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\') ++i;
    if (!quoted && text[i] == ',') return i;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> ListElements::Next() {
  while (!rest_.empty()) {
    size_t comma = FindSeparator(rest_);
    std::string_view element = TrimWhitespace(rest_.substr(0, comma));
    rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(comma + 1);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

std::optional<std::string_view> HeaderFields::Find(std::string_view name) const {
  for (const HeaderField& field : fields_) {
    if (EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

size_t HeaderFields::Count(std::string_view name) const {
  size_t count = 0;
  ForEach(name, [&count](std::string_view) { ++count; });
  return count;
}

void HeaderFields::Rebase(const char* from, size_t size, const char* to) {
  for (HeaderField& field : fields_) {
    RebaseView(&field.name, from, size, to);
    RebaseView(&field.value, from, size, to);
  }
}

void RequestHead::Clear() {
  HeaderFields kept = std::move(fields);
  kept.Clear();
  *this = {};
  fields = std::move(kept);
}

void RequestHead::Rebase(const char* from, size_t size, const char* to) {
  for (std::string_view* view : {&method, &target, &authority, &path, &upgrade}) {
    RebaseView(view, from, size, to);
  }
  if (query) RebaseView(&*query, from, size, to);
  fields.Rebase(from, size, to);
}

void ResponseHead::Clear() {
  HeaderFields kept = std::move(fields);
  kept.Clear();
  *this = {};
  fields = std::move(kept);
}

void ResponseHead::Rebase(const char* from, size_t size, const char* to) {
  RebaseView(&reason, from, size, to);
  RebaseView(&upgrade, from, size, to);
  fields.Rebase(from, size, to);
}

}  // namespace meridian::wire::http
