/* The module: clean baseline JPEGs are read and rotated faster than libjpeg does, and all others declined. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

#include "_jpeg.h"

static PyObject *as_bytes(uint8_t *found, size_t size) {
    PyObject *made = PyBytes_FromStringAndSize((const char *)found, (Py_ssize_t)size);
    free(found);
    return made;
}

static size_t pixels_of(const Header *header) {
    return (size_t)((header->height + 7) / 8) * ((header->width + 7) / 8);
}

static PyObject *grey(PyObject *module, PyObject *argument) {
    char *data;
    Py_ssize_t size;
    Header header;
    uint8_t *found = NULL;
    (void)module;
    if (PyBytes_AsStringAndSize(argument, &data, &size))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    if (read_header((const uint8_t *)data, (size_t)size, &header))
        found = read_scan((const uint8_t *)data, (size_t)size, &header, NULL);
    Py_END_ALLOW_THREADS
    if (!found)
        Py_RETURN_NONE;
    return as_bytes(found, pixels_of(&header));
}

static PyObject *rotate(PyObject *module, PyObject *arguments) {
    PyObject *source, *jpeg, *picture;
    char *data;
    Py_ssize_t size;
    Header header;
    int orientation;
    uint8_t *made = NULL, *found = NULL;
    size_t written = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "Si:rotate", &source, &orientation) || PyBytes_AsStringAndSize(source, &data, &size))
        return NULL;
    if (orientation < 2 || orientation > 8) {
        PyErr_Format(PyExc_ValueError, "orientation must be 2 to 8, got %d", orientation);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    if (read_header((const uint8_t *)data, (size_t)size, &header))
        made = rotate_jpeg((const uint8_t *)data, (size_t)size, &header, orientation, &written, &found);
    Py_END_ALLOW_THREADS
    if (!made)
        Py_RETURN_NONE;
    jpeg = as_bytes(made, written);
    picture = as_bytes(found, pixels_of(&header));
    if (!jpeg || !picture) {
        Py_XDECREF(jpeg);
        Py_XDECREF(picture);
        return NULL;
    }
    return Py_BuildValue("(NN)", jpeg, picture);
}

static PyMethodDef methods[] = {
    {"grey", grey, METH_O, "The grey picture of a clean baseline JPEG at 1/8 scale, row by row; None where libjpeg has to decide."},
    {"rotate", rotate, METH_VARARGS,
     "rotate(data, orientation): a clean baseline JPEG made upright in its coefficients, without metadata, and the stored "
     "picture's grey one; None where libjpeg has to do it."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_jpeg", "Reads and rotates clean baseline JPEGs faster than libjpeg, and declines all others.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__jpeg(void) {
    return PyModuleDef_Init(&definition);
}
