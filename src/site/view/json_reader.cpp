#include "site/view/json_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "wire/json/value.hpp"

namespace meridian::site {

using wire::json::Value;

JsonReader::JsonReader(const Value& object, std::string path, std::optional<Error>* error)
    : object_(&object), path_(std::move(path)), error_(error) {
  if (object.is_object() || *error_) return;
  *error_ = Error{Errc::kInvalid, fmt::format("{} is not an object", path_)};
}

void JsonReader::Reject(Errc code, std::string_view key, std::string_view why) {
  if (!*error_) *error_ = Error{code, fmt::format("{}.{}: {}", path_, key, why)};
}

const Value* JsonReader::Find(std::string_view key) {
  if (*error_) return nullptr;
  if (const Value* found = object_->Find(key)) return found;
  Reject(Errc::kInvalid, key, "missing");
  return nullptr;
}

bool JsonReader::Has(std::string_view key) const { return object_->Find(key) != nullptr; }

uint64_t JsonReader::Unsigned(std::string_view key, uint64_t max) {
  const Value* value = Find(key);
  if (!value) return 0;
  std::optional<uint64_t> number = value->whole_number();
  if (!number) {
    Reject(Errc::kInvalid, key, "not a whole number of 0 or more");
    return 0;
  }
  if (*number <= max) return *number;
  Reject(Errc::kTooLarge, key, fmt::format("more than {}", max));
  return 0;
}

double JsonReader::Number(std::string_view key, double min, double max) {
  const Value* value = Find(key);
  if (!value) return 0;
  double number = value->number().value_or(min - 1);
  if (number >= min && number <= max) return number;
  Reject(Errc::kInvalid, key, fmt::format("not a number from {} to {}", min, max));
  return 0;
}

bool JsonReader::Boolean(std::string_view key) {
  const Value* value = Find(key);
  if (!value) return false;
  if (std::optional<bool> boolean = value->boolean()) return *boolean;
  Reject(Errc::kInvalid, key, "not true or false");
  return false;
}

std::string JsonReader::Text(std::string_view key, size_t max_bytes) {
  const Value* value = Find(key);
  if (!value) return {};
  std::optional<std::string_view> text = value->text();
  if (!text) {
    Reject(Errc::kInvalid, key, "not a string");
    return {};
  }
  if (text->size() <= max_bytes) return std::string(*text);
  Reject(Errc::kTooLarge, key, fmt::format("{} bytes, more than {}", text->size(), max_bytes));
  return {};
}

JsonReader JsonReader::Object(std::string_view key) {
  static const Value kEmpty{Value::Object()};
  const Value* value = Find(key);
  return JsonReader(value ? *value : kEmpty, fmt::format("{}.{}", path_, key), error_);
}

std::map<std::string, std::string> JsonReader::Texts(std::string_view key, size_t max,
                                                     size_t max_bytes) {
  std::map<std::string, std::string> texts;
  const Value* value = Find(key);
  if (!value) return texts;
  if (!value->is_object() || value->members().size() > max) {
    Reject(Errc::kInvalid, key, "not an object of bounded size");
    return texts;
  }
  for (const wire::json::Member& member : value->members()) {
    std::optional<std::string_view> text = member.value.text();
    if (member.name.size() > max_bytes || !text || text->size() > max_bytes) {
      Reject(Errc::kInvalid, key, "not texts of bounded length");
      return {};
    }
    texts[member.name] = *text;
  }
  return texts;
}

std::vector<JsonReader> JsonReader::Objects(std::string_view key, size_t max) {
  std::vector<JsonReader> objects;
  const Value* value = Find(key);
  if (!value) return objects;
  if (!value->is_array()) {
    Reject(Errc::kInvalid, key, "not an array");
    return objects;
  }
  std::span<const Value> elements = value->elements();
  if (elements.size() > max) {
    Reject(Errc::kTooLarge, key, fmt::format("{} entries, more than {}", elements.size(), max));
    return objects;
  }
  for (size_t i = 0; i < elements.size(); ++i) {
    objects.push_back(JsonReader(elements[i], fmt::format("{}.{}[{}]", path_, key, i), error_));
  }
  return objects;
}

Result<Value> ParseObject(std::string_view text, size_t max_bytes) {
  Result<Value> value = wire::json::Parse(text, max_bytes);
  if (value && !value->is_object()) return Fail(Errc::kInvalid, "not a JSON object");
  return value;
}

}  // namespace meridian::site
