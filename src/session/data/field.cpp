#include "session/data/field.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "session/data/merge.hpp"

namespace meridian::session {
namespace {

void Append(char** at, std::string_view text) {
  if (!text.empty()) std::memcpy(*at, text.data(), text.size());
  *at += text.size();
}

}  // namespace

Field* Field::Merged(Field* old, const Change& change) {
  if (old != nullptr && Supersedes(old->stamp(), old->present(), old->value(), change.stamp,
                                   change.is_present, change.value)) {
    return nullptr;
  }
  size_t bytes = sizeof(Field) + change.name.size() + change.value.size();
  auto* field = new (::operator new(bytes)) Field;
  field->stamp_ = change.stamp;
  field->name_bytes_ = static_cast<uint32_t>(change.name.size());
  field->value_bytes_ = static_cast<uint32_t>(change.value.size());
  field->present_ = change.is_present;
  char* at = reinterpret_cast<char*>(field + 1);
  Append(&at, change.name);
  Append(&at, change.value);
  return field;
}

void Field::Destroy(Field* field) { ::operator delete(field); }

}  // namespace meridian::session
