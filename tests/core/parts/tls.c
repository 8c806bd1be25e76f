/* SPDX-License-Identifier: MIT */
/*
 * A TLS handshake in a task with a stack of the default size. Client and server talk over memory,
 * with a certificate that the program makes. Prints how much of the stack was touched.
 */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <belay.h>

#include "check.h"
#include "stack/stack.h"
#include "core/task.h"

static X509 *certificate(EVP_PKEY *key) {
        X509 *made = X509_new();
        X509_NAME *name = X509_get_subject_name(made);

        ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
        X509_gmtime_adj(X509_getm_notBefore(made), 0);
        X509_gmtime_adj(X509_getm_notAfter(made), 3600);
        X509_set_pubkey(made, key);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *) "belay", -1,
                                   -1, 0);
        X509_set_issuer_name(made, name);
        CHECK(X509_sign(made, key, EVP_sha256()) > 0);
        return made;
}

static int handshake(void *arg) {
        SSL_CTX *server_context = SSL_CTX_new(TLS_server_method()),
                *client_context = SSL_CTX_new(TLS_client_method());
        EVP_PKEY *key = EVP_RSA_gen(2048);
        X509 *own = certificate(key);
        SSL *server, *client;
        BIO *one, *other;

        CHECK_EQ(SSL_CTX_use_certificate(server_context, own), 1);
        CHECK_EQ(SSL_CTX_use_PrivateKey(server_context, key), 1);
        server = SSL_new(server_context);
        client = SSL_new(client_context);
        CHECK_EQ(BIO_new_bio_pair(&one, 0, &other, 0), 1);
        SSL_set_bio(server, one, one);
        SSL_set_bio(client, other, other);
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        for (int i = 0; i < 20 && !(SSL_is_init_finished(server) && SSL_is_init_finished(client));
             i++) {
                SSL_do_handshake(client);
                CHECK_EQ(belay_yield(), 0);
                SSL_do_handshake(server);
        }
        CHECK(SSL_is_init_finished(server) && SSL_is_init_finished(client));
        *(size_t *) arg = bly_stack_used(&belay_self()->stack);
        SSL_free(server);
        SSL_free(client);
        SSL_CTX_free(server_context);
        SSL_CTX_free(client_context);
        X509_free(own);
        EVP_PKEY_free(key);
        return 0;
}

static int app(void *arg) {
        belay_task *task = belay_spawn(handshake, arg);
        int outcome;

        CHECK_EQ(belay_await(task, &outcome), 0);
        belay_release(task);
        return outcome;
}

int main(void) {
        size_t used = 0;

        CHECK_EQ(belay_run(app, &used), 0);
        printf("a TLS handshake, key and certificate included, touches %zu KiB of a stack of 64\n",
               used / 1024);
        CHECK(used > 4096 && used < BLY_STACK_DEFAULT);
        return 0;
}
