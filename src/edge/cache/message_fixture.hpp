// For tests: heads of messages from braced lists. The fields are views: of literals.
#pragma once

#include <initializer_list>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

inline wire::http::HeaderFields Fields(std::initializer_list<wire::http::HeaderField> list) {
  wire::http::HeaderFields fields;
  for (const wire::http::HeaderField& field : list) fields.Add(field.name, field.value);
  return fields;
}

inline wire::http::RequestHead Get(std::string_view path,
                                   std::initializer_list<wire::http::HeaderField> fields = {}) {
  wire::http::RequestHead head;
  head.method = "GET";
  head.authority = "photos.example";
  head.path = path.substr(0, path.find('?'));
  if (head.path.size() < path.size()) head.query = path.substr(head.path.size() + 1);
  head.fields = Fields(fields);
  return head;
}

inline wire::http::ResponseHead Answer(int status,
                                       std::initializer_list<wire::http::HeaderField> fields) {
  wire::http::ResponseHead head;
  head.status = status;
  head.body = {wire::http::BodyFraming::Kind::kContentLength, 5};
  head.content_length = 5;
  head.fields = Fields(fields);
  return head;
}

}  // namespace meridian::edge
