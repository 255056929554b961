#include "site/json_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace meridian::site {

JsonReader::JsonReader(const nlohmann::json& object, std::string path, std::optional<Error>* error)
    : object_(&object), path_(std::move(path)), error_(error) {
  if (object.is_object() || *error_) return;
  *error_ = Error{Errc::kInvalid, fmt::format("{} is not an object", path_)};
}

void JsonReader::Reject(Errc code, std::string_view key, std::string_view why) {
  if (!*error_) *error_ = Error{code, fmt::format("{}.{}: {}", path_, key, why)};
}

const nlohmann::json* JsonReader::Find(std::string_view key) {
  if (*error_) return nullptr;
  auto found = object_->find(key);
  if (found != object_->end()) return &*found;
  Reject(Errc::kInvalid, key, "missing");
  return nullptr;
}

bool JsonReader::Has(std::string_view key) const {
  return object_->is_object() && object_->contains(key);
}

uint64_t JsonReader::Unsigned(std::string_view key, uint64_t max) {
  const nlohmann::json* value = Find(key);
  if (!value) return 0;
  if (!value->is_number_unsigned()) {
    Reject(Errc::kInvalid, key, "not a whole number of 0 or more");
    return 0;
  }
  auto number = value->get<uint64_t>();
  if (number <= max) return number;
  Reject(Errc::kTooLarge, key, fmt::format("more than {}", max));
  return 0;
}

double JsonReader::Number(std::string_view key, double min, double max) {
  const nlohmann::json* value = Find(key);
  if (!value) return 0;
  double number = value->is_number() ? value->get<double>() : min - 1;
  if (number >= min && number <= max) return number;
  Reject(Errc::kInvalid, key, fmt::format("not a number from {} to {}", min, max));
  return 0;
}

bool JsonReader::Boolean(std::string_view key) {
  const nlohmann::json* value = Find(key);
  if (!value) return false;
  if (value->is_boolean()) return value->get<bool>();
  Reject(Errc::kInvalid, key, "not true or false");
  return false;
}

std::string JsonReader::Text(std::string_view key, size_t max_bytes) {
  const nlohmann::json* value = Find(key);
  if (!value) return {};
  if (!value->is_string()) {
    Reject(Errc::kInvalid, key, "not a string");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() <= max_bytes) return text;
  Reject(Errc::kTooLarge, key, fmt::format("{} bytes, more than {}", text.size(), max_bytes));
  return {};
}

JsonReader JsonReader::Object(std::string_view key) {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  const nlohmann::json* value = Find(key);
  return JsonReader(value ? *value : kEmpty, fmt::format("{}.{}", path_, key), error_);
}

std::map<std::string, std::string> JsonReader::Texts(std::string_view key, size_t max,
                                                     size_t max_bytes) {
  std::map<std::string, std::string> texts;
  const nlohmann::json* value = Find(key);
  if (!value) return texts;
  if (!value->is_object() || value->size() > max) {
    Reject(Errc::kInvalid, key, "not an object of bounded size");
    return texts;
  }
  for (const auto& [name, text] : value->items()) {
    if (name.size() > max_bytes || !text.is_string() ||
        text.get_ref<const std::string&>().size() > max_bytes) {
      Reject(Errc::kInvalid, key, "not texts of bounded length");
      return {};
    }
    texts[name] = text.get<std::string>();
  }
  return texts;
}

std::vector<JsonReader> JsonReader::Objects(std::string_view key, size_t max) {
  std::vector<JsonReader> objects;
  const nlohmann::json* value = Find(key);
  if (!value) return objects;
  if (!value->is_array()) {
    Reject(Errc::kInvalid, key, "not an array");
    return objects;
  }
  if (value->size() > max) {
    Reject(Errc::kTooLarge, key, fmt::format("{} entries, more than {}", value->size(), max));
    return objects;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    objects.push_back(JsonReader((*value)[i], fmt::format("{}.{}[{}]", path_, key, i), error_));
  }
  return objects;
}

Result<nlohmann::json> ParseObject(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Fail(Errc::kTooLarge, "a message of {} bytes; at most {} are allowed", text.size(),
                max_bytes);
  }
  nlohmann::json parsed = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Fail(Errc::kInvalid, "not JSON");
  if (!parsed.is_object()) return Fail(Errc::kInvalid, "not a JSON object");
  return parsed;
}

}  // namespace meridian::site
