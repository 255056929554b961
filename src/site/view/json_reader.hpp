// Reads a JSON object field by field, strictly: the first field that is missing, of the wrong type
// or out of bounds becomes the error, and every later read returns an empty value. For the codecs
// of site/ only. It must not outlive the JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/json/value.hpp"

namespace meridian::site {

class JsonReader {
 public:
  // `path` is the object's name in error messages; all readers of one message share `error`.
  JsonReader(const wire::json::Value& object, std::string path, std::optional<Error>* error);

  // For keys that earlier releases do not write.
  bool Has(std::string_view key) const;
  // By default at most 2^53, which every JSON reader represents exactly.
  uint64_t Unsigned(std::string_view key, uint64_t max = uint64_t{1} << 53);
  double Number(std::string_view key, double min, double max);
  bool Boolean(std::string_view key);
  std::string Text(std::string_view key, size_t max_bytes);
  JsonReader Object(std::string_view key);
  // The texts in an object, by their keys: at most `max` texts of at most `max_bytes` each.
  std::map<std::string, std::string> Texts(std::string_view key, size_t max, size_t max_bytes);
  // The objects in an array.
  std::vector<JsonReader> Objects(std::string_view key, size_t max);

  // Records an error that the caller found in the value of `key`.
  void Reject(Errc code, std::string_view key, std::string_view why);

 private:
  const wire::json::Value* Find(std::string_view key);

  const wire::json::Value* object_;
  std::string path_;
  std::optional<Error>* error_;
};

// The JSON object in `text`, or the error.
Result<wire::json::Value> ParseObject(std::string_view text, size_t max_bytes);

}  // namespace meridian::site
