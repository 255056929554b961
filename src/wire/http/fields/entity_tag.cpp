#include "wire/http/fields/entity_tag.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/http/characters.hpp"

namespace meridian::wire::http {
namespace {

// etagc: all characters except the quote, controls and space.
bool IsTagChar(char c) {
  auto byte = static_cast<uint8_t>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

// Takes one tag from the front, or nothing.
std::optional<EntityTag> TakeTag(std::string_view* text) {
  EntityTag tag;
  std::string_view rest = *text;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  rest.remove_prefix(1);
  size_t end = rest.find('"');
  if (end == std::string_view::npos) return std::nullopt;
  tag.opaque = rest.substr(0, end);
  if (!std::ranges::all_of(tag.opaque, IsTagChar)) return std::nullopt;
  rest.remove_prefix(end + 1);
  *text = rest;
  return tag;
}

}  // namespace

std::optional<EntityTag> ParseEntityTag(std::string_view text) {
  std::optional<EntityTag> tag = TakeTag(&text);
  return text.empty() ? tag : std::nullopt;
}

bool ListHasWeakMatch(std::string_view list, const EntityTag& tag) {
  while (!list.empty()) {
    list = TrimWhitespace(list);
    std::optional<EntityTag> next = TakeTag(&list);
    if (next && WeakMatch(*next, tag)) return true;
    // A backslash is an ordinary character of a tag; ListElements would treat it as an escape.
    size_t comma = list.find(',');
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace meridian::wire::http
