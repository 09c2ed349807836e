// SPDX-License-Identifier: Apache-2.0
#include "tests/probe/certificates.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>

namespace evenkeel::testing {
namespace {

constexpr long kDay = 86400;

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

Key NewKey() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void Extend(X509* x509, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  EXPECT_EQ(X509_add_ext(x509, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

Certificate NewCertificate(EVP_PKEY* key, const std::string& name, long middle_s) {
  static std::atomic<long> serial{0};
  Certificate certificate(X509_new(), &X509_free);
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), middle_s - kDay);
  X509_gmtime_adj(X509_getm_notAfter(x), middle_s + kDay);
  X509_set_pubkey(x, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  return certificate;
}

std::string NewName() {
  static std::atomic<int> number{0};
  return "Test CA " + std::to_string(++number);
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string ToPem(X509* x509) {
  BIO* bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_X509(bio, x509), 1);
  return Text(bio);
}

std::string ToPem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  return Text(bio);
}

}  // namespace

Identity ExpiredStranger() {
  const Key key = NewKey();
  const Certificate certificate = NewCertificate(key.get(), "other.example", -2 * kDay);
  EXPECT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  return {ToPem(certificate.get()), ToPem(key.get())};
}

TestCa::TestCa() : key_(NewKey()), x509_(NewCertificate(key_.get(), NewName(), 0)) {
  Extend(x509_.get(), NID_basic_constraints, "critical,CA:TRUE");
  EXPECT_GT(X509_sign(x509_.get(), key_.get(), EVP_sha256()), 0);
  certificate_ = ToPem(x509_.get());
}

Identity TestCa::Issue(const std::string& subject_alt_name, long middle_s) const {
  const Key key = NewKey();
  const Certificate certificate = NewCertificate(key.get(), "server", middle_s);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(x509_.get()));
  Extend(certificate.get(), NID_subject_alt_name, subject_alt_name);
  EXPECT_GT(X509_sign(certificate.get(), key_.get(), EVP_sha256()), 0);
  return {ToPem(certificate.get()), ToPem(key.get())};
}

}  // namespace evenkeel::testing
